#pragma once
// Who is who: [[identity]] of the settings against what a peer shows. Tokens are known by their SHA-256 alone.
// Immutable, any thread.

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/access.hpp"

namespace millrace::access {

inline constexpr std::size_t kMaxToken = 4096;  // bytes; a longer one is wrong without being looked at
using TokenHash = std::array<std::uint8_t, 32>;

class Identities {
 public:
  // The error names the identity and its key.
  static std::expected<Identities, std::string> parse(const std::vector<IdentitySettings>& identities,
                                                      std::string_view certificate_role);

  [[nodiscard]] bool empty() const { return identities_.empty(); }
  // The error is a sentence without any secret. A token that is wrong is refused whatever else is shown.
  [[nodiscard]] std::expected<Identity, std::string> find(const Credentials& credentials) const;

 private:
  struct Token {
    TokenHash hash;
    std::size_t identity;
  };
  struct Certificate {
    std::string name;
    std::size_t identity;
  };
  std::expected<void, std::string> add(const IdentitySettings& settings);
  [[nodiscard]] std::optional<std::size_t> by_token(std::string_view token) const;
  [[nodiscard]] std::expected<Identity, std::string> by_certificate(const std::vector<std::string>& names) const;

  std::vector<Identity> identities_;
  std::vector<Token> tokens_;
  std::vector<Certificate> certificates_;
  std::optional<Role> certificate_role_;  // nothing: "none"
};

}  // namespace millrace::access
