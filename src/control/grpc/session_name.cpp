#include "control/grpc/session_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>

#include "session/calls.hpp"

namespace millrace::control::grpc {

bool has_control_characters(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20 || byte == 0x7f) return true;
    if (byte == 0xc2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0) return true;
  }
  return false;
}

std::expected<void, Problem> check_new_session_id(std::string_view id) {
  if (id.size() > kMaxSessionId) {
    return std::unexpected{
        invalid(fmt::format("session_id: has {} bytes, at most {} are allowed", id.size(), kMaxSessionId))};
  }
  if (has_control_characters(id)) {
    return std::unexpected{invalid("session_id: control characters are not allowed")};
  }
  return {};
}

std::expected<void, Problem> check_known_session_id(std::string_view id, std::string_view field) {
  // CALLID/FROMTAG, and what the text protocol puts behind a tag (";1").
  constexpr std::size_t kLongest = 2 * session::kMaxName + 16;
  if (id.empty()) return std::unexpected{invalid(fmt::format("{}: the id of a session is wanted", field))};
  if (id.size() > kLongest) {
    return std::unexpected{
        invalid(fmt::format("{}: has {} bytes, no id has more than {}", field, id.size(), kLongest))};
  }
  return {};
}

std::string new_session_id() {
  std::random_device random;  // the kernel's
  std::array<std::uint32_t, 4> words{};
  std::ranges::generate(words, [&random] { return random(); });
  words[1] = (words[1] & 0xffff0fffU) | 0x00004000U;  // version 4: random, RFC 4122 §4.4
  words[2] = (words[2] & 0x3fffffffU) | 0x80000000U;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:04x}{:08x}", words[0], words[1] >> 16U, words[1] & 0xffffU,
                     words[2] >> 16U, words[2] & 0xffffU, words[3]);
}

std::optional<CallAndTag> split_call_and_tag(std::string_view id) {
  const auto slash = id.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  return CallAndTag{.call_id = id.substr(0, slash), .tag = id.substr(slash + 1)};
}

}  // namespace millrace::control::grpc
