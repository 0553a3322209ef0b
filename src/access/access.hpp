#pragma once
// Who may do what: one object that front ends ask before each command. Any thread. What it decides with is replaced as a
// whole when the settings are read again; the quotas are locked.

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/settings.hpp"
#include "base/time.hpp"
#include "net/endpoint.hpp"

namespace millrace::access {

enum class Role : std::uint8_t {
  viewer,  // sees
  operator_,  // and makes, changes and ends sessions; the bare word is taken NOLINT(readability-identifier-naming)
  admin,  // and drains the node
};
std::string_view name_of(Role role);

struct Identity {
  std::string name{};  // "anonymous" where nobody has to say who they are
  Role role = Role::viewer;
};

// What a peer shows of itself.
struct Credentials {
  std::optional<std::string> bearer_token{};  // empty: something was shown that is none
  std::vector<std::string> certificate_names{};  // of one that was verified: SANs, then the CN; "": it has none
  net::Address peer{};  // not set: not known; refused where security.peers names networks
};

enum class Refusal : std::uint8_t {
  unauthenticated,  // nothing was shown that we know, and something has to be
  wrong_role,
  peer_not_allowed,
  destination_not_allowed,
  listen_not_allowed,
  too_many_commands,
};
struct Refused {
  Refusal why;
  std::string text;  // a sentence for the peer; names no secret
};

class Access {
 public:
  // The error names the setting.
  static std::expected<std::unique_ptr<Access>, std::string> create(const Settings& security,
                                                                    const std::vector<IdentitySettings>& identities,
                                                                    const QuotaSettings& quotas);
  virtual ~Access() = default;

  // From now on; the quotas stay. Nothing has changed when it fails: settings that are wrong, or that would leave a node
  // open that told its users apart.
  [[nodiscard]] virtual std::expected<void, std::string> replace(const Settings& security,
                                                                 const std::vector<IdentitySettings>& identities) = 0;

  // Is there anybody to be told apart? Else every peer is "anonymous" and admin.
  [[nodiscard]] virtual bool authenticates() const = 0;
  // Peer list, then who it is. Takes the same time for each wrong token.
  [[nodiscard]] virtual std::expected<Identity, Refused> identify(const Credentials& credentials) const = 0;
  [[nodiscard]] virtual std::expected<void, Refused> require(const Identity& identity, Role role) const = 0;
  // One command of that identity (text protocol: the peer's address) at that time.
  [[nodiscard]] virtual std::expected<void, Refused> count_command(std::string_view identity, TimePoint now) = 0;

  // May a session listen there, and send from `forward` to `destination`?
  [[nodiscard]] virtual std::expected<void, Refused> may_listen(const net::Address& local) const = 0;
  [[nodiscard]] virtual std::expected<void, Refused> may_reach(const net::Address& destination,
                                                               const net::Address& forward) const = 0;
};

}  // namespace millrace::access
