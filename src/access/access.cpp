#include "access/access.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "access/command_quota.hpp"
#include "access/destinations.hpp"
#include "access/identities.hpp"

namespace millrace::access {
namespace {

std::unexpected<Refused> refuse(Refusal why, std::string text) {
  return std::unexpected{Refused{.why = why, .text = std::move(text)}};
}

// What the settings say, read once.
struct Rules {
  Networks peers, listen;
  Destinations destinations;
  Identities identities;
};

class Checker final : public Access {
 public:
  Checker(Rules rules, const QuotaSettings& quotas)
      : rules_{std::move(rules)}, commands_per_second_{quotas.commands_per_second}, quota_{commands_per_second_} {}

  [[nodiscard]] bool authenticates() const override { return !rules_.identities.empty(); }

  [[nodiscard]] std::expected<Identity, Refused> identify(const Credentials& credentials) const override {
    const auto& peer = credentials.peer;
    if (!rules_.peers.empty() && !rules_.peers.contains(peer)) {
      return refuse(Refusal::peer_not_allowed,
                    fmt::format("{} may not use this API: security.peers does not name it", peer.to_string()));
    }
    auto found = rules_.identities.find(credentials);
    if (!found) return refuse(Refusal::unauthenticated, std::move(found.error()));
    return std::move(*found);
  }

  [[nodiscard]] std::expected<void, Refused> require(const Identity& identity, Role role) const override {
    if (identity.role >= role) return {};
    return refuse(Refusal::wrong_role, fmt::format("this wants the role {}; '{}' has the role {}", name_of(role),
                                                   identity.name, name_of(identity.role)));
  }

  [[nodiscard]] std::expected<void, Refused> count_command(std::string_view identity, TimePoint now) override {
    if (quota_.take(identity, now)) return {};
    return refuse(Refusal::too_many_commands, fmt::format("'{}' may send {} commands a second, says "
                                                          "quota.commands_per_second",
                                                          identity, commands_per_second_));
  }

  [[nodiscard]] std::expected<void, Refused> may_listen(const net::Address& local) const override {
    if (rules_.listen.empty() || rules_.listen.contains(local)) return {};
    return refuse(Refusal::listen_not_allowed,
                  fmt::format("sessions may not use the local address {}: security.listen_addresses does not name it",
                              local.to_string()));
  }

  [[nodiscard]] std::expected<void, Refused> may_reach(const net::Address& destination,
                                                       const net::Address& forward) const override {
    auto allowed = rules_.destinations.check(destination, forward);
    if (!allowed) return refuse(Refusal::destination_not_allowed, std::move(allowed.error()));
    return {};
  }

 private:
  const Rules rules_;
  const std::uint32_t commands_per_second_;
  CommandQuota quota_;
};

}  // namespace

std::string_view name_of(Role role) {
  constexpr std::array<std::string_view, 3> kNames{"viewer", "operator", "admin"};
  return kNames[std::to_underlying(role)];
}

std::expected<std::unique_ptr<Access>, std::string> Access::create(const Settings& security,
                                                                   const std::vector<IdentitySettings>& identities,
                                                                   const QuotaSettings& quotas) {
  auto peers = Networks::parse(security.peers, "security.peers");
  if (!peers) return std::unexpected{peers.error()};
  auto listen = Networks::parse(security.listen_addresses, "security.listen_addresses");
  if (!listen) return std::unexpected{listen.error()};
  auto destinations = Destinations::parse(security);
  if (!destinations) return std::unexpected{destinations.error()};
  auto known = Identities::parse(identities, security.certificate_role);
  if (!known) return std::unexpected{known.error()};
  return std::make_unique<Checker>(Rules{.peers = std::move(*peers),
                                         .listen = std::move(*listen),
                                         .destinations = std::move(*destinations),
                                         .identities = std::move(*known)},
                                   quotas);
}

}  // namespace millrace::access
