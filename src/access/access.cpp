#include "access/access.hpp"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <mutex>
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

using SharedRules = std::shared_ptr<const Rules>;

std::expected<SharedRules, std::string> read(const Settings& security,
                                             const std::vector<IdentitySettings>& identities) {
  auto peers = Networks::parse(security.peers, "security.peers");
  if (!peers) return std::unexpected{peers.error()};
  auto listen = Networks::parse(security.listen_addresses, "security.listen_addresses");
  if (!listen) return std::unexpected{listen.error()};
  auto destinations = Destinations::parse(security);
  if (!destinations) return std::unexpected{destinations.error()};
  auto known = Identities::parse(identities, security.certificate_role);
  if (!known) return std::unexpected{known.error()};
  return std::make_shared<const Rules>(Rules{.peers = std::move(*peers),
                                             .listen = std::move(*listen),
                                             .destinations = std::move(*destinations),
                                             .identities = std::move(*known)});
}

class Checker final : public Access {
 public:
  Checker(SharedRules rules, const QuotaSettings& quotas)
      : rules_{std::move(rules)}, commands_per_second_{quotas.commands_per_second}, quota_{commands_per_second_} {}

  std::expected<void, std::string> replace(const Settings& security,
                                           const std::vector<IdentitySettings>& identities) override {
    auto rules = read(security, identities);
    if (!rules) return std::unexpected{rules.error()};
    if (authenticates() && (*rules)->identities.empty()) {
      return std::unexpected{"without any [[identity]] everybody could command the node: that takes a restart"};
    }
    const std::scoped_lock lock{mutex_};
    rules_ = std::move(*rules);
    return {};
  }

  [[nodiscard]] bool authenticates() const override { return !rules()->identities.empty(); }

  [[nodiscard]] std::expected<Identity, Refused> identify(const Credentials& credentials) const override {
    const auto rules = this->rules();
    const auto& peer = credentials.peer;
    if (!rules->peers.empty() && !rules->peers.contains(peer)) {
      return refuse(Refusal::peer_not_allowed,
                    fmt::format("{} may not use this API: security.peers does not name it", peer.to_string()));
    }
    auto found = rules->identities.find(credentials);
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
    const auto rules = this->rules();
    if (rules->listen.empty() || rules->listen.contains(local)) return {};
    return refuse(Refusal::listen_not_allowed,
                  fmt::format("sessions may not use the local address {}: security.listen_addresses does not name it",
                              local.to_string()));
  }

  [[nodiscard]] std::expected<void, Refused> may_reach(const net::Address& destination,
                                                       const net::Address& forward) const override {
    auto allowed = rules()->destinations.check(destination, forward);
    if (!allowed) return refuse(Refusal::destination_not_allowed, std::move(allowed.error()));
    return {};
  }

 private:
  [[nodiscard]] SharedRules rules() const {
    const std::scoped_lock lock{mutex_};
    return rules_;
  }

  mutable std::mutex mutex_;  // of the pointer
  SharedRules rules_;
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
  auto rules = read(security, identities);
  if (!rules) return std::unexpected{rules.error()};
  return std::make_unique<Checker>(std::move(*rules), quotas);
}

}  // namespace millrace::access
