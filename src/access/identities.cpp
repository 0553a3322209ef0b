#include "access/identities.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

#include "base/check.hpp"
#include "base/parse.hpp"

namespace millrace::access {
namespace {

using Failure = std::unexpected<std::string>;

constexpr std::array kRoles{Role::viewer, Role::operator_, Role::admin};
constexpr std::string_view kAnonymous = "anonymous";

std::optional<Role> parse_role(std::string_view text) {
  const auto found = std::ranges::find(kRoles, text, name_of);
  return found == kRoles.end() ? std::nullopt : std::optional{*found};
}

std::optional<TokenHash> parse_hash(std::string_view hex) {
  TokenHash hash;
  if (hex.size() != hash.size() * 2) return std::nullopt;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const auto byte = parse_number<std::uint8_t>(hex.substr(i * 2, 2), 16);
    if (!byte) return std::nullopt;
    hash[i] = *byte;
  }
  return hash;
}

TokenHash hash_of(std::string_view token) {
  TokenHash hash;
  MR_CHECK(::EVP_Digest(token.data(), token.size(), hash.data(), nullptr, ::EVP_sha256(), nullptr) == 1);
  return hash;
}

}  // namespace

std::expected<Identities, std::string> Identities::parse(const std::vector<IdentitySettings>& identities,
                                                         std::string_view certificate_role) {
  Identities made;
  made.certificate_role_ = parse_role(certificate_role);
  if (!made.certificate_role_ && certificate_role != "none") {
    return Failure{
        fmt::format("security.certificate_role: '{}' is none of none, viewer, operator, admin", certificate_role)};
  }
  for (const auto& identity : identities) {
    if (const auto added = made.add(identity); !added) return Failure{added.error()};
  }
  return made;
}

// A colon is for the names that we give ourselves ("cert:…"), so that nobody passes for somebody else in limits and in
// the audit log.
std::expected<void, std::string> Identities::add(const IdentitySettings& settings) {
  const auto& name = settings.name;
  const auto wrong = [&name](std::string_view key, std::string_view what) {
    return Failure{fmt::format("identity.{} of '{}': {}", key, name, what)};
  };
  if (name.empty()) return Failure{"identity.name: each [[identity]] needs one"};
  if (std::ranges::any_of(name, [](char c) { return c == ':' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
    return wrong("name", "a name has no colons and no control characters");
  }
  if (name == kAnonymous) return wrong("name", "this is what peers are called where there are no identities");
  if (std::ranges::find(identities_, name, &Identity::name) != identities_.end()) {
    return wrong("name", "there is another one of this name");
  }
  const auto role = parse_role(settings.role);
  if (!role) return wrong("role", "it is viewer, operator or admin");
  if (settings.token_sha256.empty() && settings.certificate.empty()) {
    return wrong("token_sha256", "neither this nor certificate is set, so nobody could be it");
  }
  const auto number = identities_.size();
  if (!settings.token_sha256.empty()) {
    const auto hash = parse_hash(settings.token_sha256);
    if (!hash) return wrong("token_sha256", "a SHA-256 has 64 hexadecimal digits; `mrctl token` prints them");
    if (*hash == hash_of({})) return wrong("token_sha256", "this is the hash of an empty token");
    if (std::ranges::find(tokens_, *hash, &Token::hash) != tokens_.end()) {
      return wrong("token_sha256", "another identity has this token");
    }
    tokens_.push_back({.hash = *hash, .identity = number});
  }
  if (!settings.certificate.empty()) {
    if (std::ranges::find(certificates_, settings.certificate, &Certificate::name) != certificates_.end()) {
      return wrong("certificate", "another identity has this certificate");
    }
    certificates_.push_back({.name = settings.certificate, .identity = number});
  }
  identities_.push_back({.name = name, .role = *role});
  return {};
}

std::expected<Identity, std::string> Identities::find(const Credentials& credentials) const {
  const bool has_certificate = !credentials.certificate_names.empty();
  if (empty() && !has_certificate) return Identity{.name = std::string{kAnonymous}, .role = Role::admin};
  if (credentials.bearer_token) {
    if (credentials.bearer_token->empty()) return Failure{"\"authorization\" is not \"Bearer TOKEN\""};
    const auto found = by_token(*credentials.bearer_token);
    if (!found) return Failure{"nobody has this token"};
    return identities_[*found];
  }
  if (has_certificate) return by_certificate(credentials.certificate_names);
  return Failure{certificates_.empty() ? "show a token: \"authorization: Bearer TOKEN\""
                                       : "show a token (\"authorization: Bearer TOKEN\") or a client certificate"};
}

// Every hash is compared to its end, whichever of them matches, so that time tells nothing about them.
std::optional<std::size_t> Identities::by_token(std::string_view token) const {
  if (token.size() > kMaxToken) return std::nullopt;
  const auto shown = hash_of(token);
  std::optional<std::size_t> found;
  for (const auto& known : tokens_) {
    if (::CRYPTO_memcmp(known.hash.data(), shown.data(), shown.size()) == 0) found = known.identity;
  }
  return found;
}

std::expected<Identity, std::string> Identities::by_certificate(const std::vector<std::string>& names) const {
  for (const auto& name : names) {
    const auto found = std::ranges::find(certificates_, name, &Certificate::name);
    if (found != certificates_.end()) return identities_[found->identity];
  }
  if (!certificate_role_) {
    return Failure{fmt::format("no [[identity]] names the certificate '{}', and security.certificate_role is none",
                               names.front())};
  }
  return Identity{.name = "cert:" + names.front(), .role = *certificate_role_};
}

}  // namespace millrace::access
