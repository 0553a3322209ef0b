#include "mrload/exchange.hpp"

#include <fmt/format.h>

#include "base/parse.hpp"

namespace millrace::mrload {

std::string Exchange::start(std::uint64_t tag, std::string_view request, TimePoint now) {
  const auto serial = serial_++;
  auto datagram = fmt::format("{:08x}_{} {}", run_, serial, request);
  pending_.emplace(serial, Pending{tag, datagram, now, now, 1});
  return datagram;
}

std::optional<Exchange::Reply> Exchange::on_datagram(std::string_view datagram, TimePoint now) {
  const auto space = datagram.find(' ');
  const auto cookie = datagram.substr(0, space);
  const auto underscore = cookie.find('_');
  if (space == std::string_view::npos || underscore == std::string_view::npos) return std::nullopt;
  const auto run = parse_number<std::uint32_t>(cookie.substr(0, underscore), 16);
  const auto serial = parse_number<std::uint64_t>(cookie.substr(underscore + 1));
  if (run != run_ || !serial) return std::nullopt;
  const auto found = pending_.find(*serial);
  if (found == pending_.end()) return std::nullopt;
  const Reply reply{found->second.tag, datagram.substr(space + 1), now - found->second.first};
  pending_.erase(found);
  return reply;
}

std::vector<std::string> Exchange::due(TimePoint now) {
  std::vector<std::string> again;
  for (auto& [serial, it] : pending_) {
    if (now - it.last < kRetryAfter || it.tries >= kTries) continue;
    it.last = now;
    ++it.tries;
    ++repeats_;
    again.push_back(it.datagram);
  }
  return again;
}

std::optional<std::uint64_t> Exchange::given_up(TimePoint now) const {
  for (const auto& [serial, it] : pending_) {
    if (it.tries >= kTries && now - it.last >= kRetryAfter) return it.tag;
  }
  return std::nullopt;
}

}  // namespace millrace::mrload
