#include "mrctl/token.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include <array>
#include <cstdint>
#include <cstdlib>

#include "access/access.hpp"
#include "base/check.hpp"
#include "base/error.hpp"

namespace millrace::mrctl {
namespace {

// A TOML basic string; Access lets no control character through.
std::string quoted(std::string_view text) {
  std::string result{'"'};
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

}  // namespace

std::string base64url(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const auto byte : bytes) {
    bits = bits << 8 | std::to_integer<std::uint32_t>(byte);
    for (held += 8; held >= 6; held -= 6) text += kDigits[bits >> (held - 6) & 0x3f];
  }
  if (held > 0) text += kDigits[bits << (6 - held) & 0x3f];
  return text;
}

std::string sha256_hex(std::string_view text) {
  std::array<std::uint8_t, 32> hash;
  MR_CHECK(::EVP_Digest(text.data(), text.size(), hash.data(), nullptr, ::EVP_sha256(), nullptr) == 1);
  std::string hex;
  for (const auto byte : hash) hex += fmt::format("{:02x}", byte);
  return hex;
}

std::expected<std::string, std::string> draw_token() {
  std::array<std::byte, kTokenBytes> random;
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    return std::unexpected{sys_error("getrandom").message()};
  }
  return base64url(random);
}

std::expected<std::string, std::string> identity_lines(std::string_view name, std::string_view role,
                                                       std::string_view token) {
  const access::IdentitySettings identity{
      .name = std::string{name}, .role = std::string{role}, .token_sha256 = sha256_hex(token), .certificate = {}};
  // What the daemon would refuse at its next start is better refused here.
  if (const auto made = access::Access::create({}, {identity}, {}); !made) return std::unexpected{made.error()};
  return fmt::format("[[identity]]\nname = {}\nrole = \"{}\"\ntoken_sha256 = \"{}\"\n", quoted(name), role,
                     identity.token_sha256);
}

int run_token(const std::string& name, const std::string& role) {
  const auto token = draw_token();
  const auto lines = token ? identity_lines(name, role, *token) : token;
  if (!lines) {
    fmt::print(stderr, "mrctl: {}\n", lines.error());
    return EXIT_FAILURE;
  }
  fmt::print(
      "The token, which is kept nowhere and shown only now:\n\n{}\n\n"
      "These lines make it known: put them into the settings file and send the daemon a SIGHUP.\n\n{}",
      *token, *lines);
  return EXIT_SUCCESS;
}

}  // namespace millrace::mrctl
