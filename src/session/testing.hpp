#pragma once
// For tests alone: Calls on a virtual clock with a forwarding half that only remembers, and a pool that binds nothing.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "flow/counters.hpp"
#include "flow/plan.hpp"
#include "net/port_pool.hpp"
#include "session/calls.hpp"

namespace millrace::session::testing {

using std::chrono::seconds;

inline net::Endpoint endpoint(std::string_view text) { return net::Endpoint::parse(text).value(); }
inline net::Address address(std::string_view text) { return net::Address::parse(text).value(); }

struct ById {
  bool operator()(ConnectionId a, ConnectionId b) const { return a.value() < b.value(); }
};

// Keeps the latest plan of each connection, as an engine would, and owes the events that an engine sends later.
class RecordingForwarder : public flow::Forwarder {
 public:
  [[nodiscard]] bool accepts_new() const override { return accepting; }

  void install(flow::Installation installation) override {
    const flow::FlowPlan& plan = *installation.plan;
    installed.push_back(plan.id);
    const auto before = plans.find(plan.id);
    if (before != plans.end()) close_renewed(before->second, plan);
    plans.insert_or_assign(plan.id, plan);
  }

  void remove(ConnectionId connection) override {
    removed.push_back(connection);
    for (const flow::PortPlan& port : plans.at(connection).ports) {
      if (!flow::is_rtcp(port.slot)) closed.push_back({port.local});
    }
    plans.erase(connection);
    gone.push_back({connection});
  }

  bool accepting = true;
  std::map<ConnectionId, flow::FlowPlan, ById> plans;
  std::vector<ConnectionId> installed, removed;
  std::vector<flow::PortClosed> closed;  // not delivered yet
  std::vector<flow::Removed> gone;

 private:
  void close_renewed(const flow::FlowPlan& before, const flow::FlowPlan& after) {
    for (const flow::PortPlan& old : before.ports) {
      const auto same = std::ranges::find(after.ports, old.slot, &flow::PortPlan::slot);
      if (!flow::is_rtcp(old.slot) && same->local != old.local) closed.push_back({old.local});
    }
  }
};

class RememberingListener : public ChangeListener {
 public:
  void on_change(const Change& change) override { changes.push_back(change); }
  template <class What>
  [[nodiscard]] std::vector<What> all() const {
    std::vector<What> found;
    for (const Change& change : changes) {
      if (const auto* what = std::get_if<What>(&change.what)) found.push_back(*what);
    }
    return found;
  }
  std::vector<Change> changes;
};

inline net::Interface interface(std::string_view local, std::string name = "", net::PortRange range = {10000, 19998}) {
  return {.name = std::move(name), .addresses = {address(local)}, .advertised = "", .range = range};
}

struct WorldOptions {
  Settings settings{};
  std::vector<net::Interface> interfaces = {interface("127.0.0.1")};
  std::set<std::string> host_addresses = {};                    // beside the interfaces' own
  std::map<std::string, std::string> routes = {};               // remote → local
};

class World {
 public:
  explicit World(WorldOptions options = {})
      : settings{options.settings},
        pool{options.interfaces,
             {.order = net::PortOrder::sequential},
             [this](const net::Endpoint& local) { return bind(local); },
             {.listen = [this](const net::Endpoint& local) { return bind(local); },
              .reserve = [this](const net::Endpoint& local) { return bind(local); }}},
        calls{settings, pool, forwarder, counters, host(std::move(options))} {
    calls.add_listener(listener);
  }

  Reply run(const Command& command) {
    Reply reply = calls.execute(command, now);
    calls.flush();
    return reply;
  }
  Reply offer(std::string_view call, std::string_view remote, std::string_view from, std::string_view to = "",
              PartySide party = {}) {
    return run(Offer{.parties = parties(call, from, to), .party = at(std::move(party), remote), .notify = {}});
  }
  Reply answer(std::string_view call, std::string_view remote, std::string_view from, std::string_view to,
               PartySide party = {}) {
    return run(Answer{.parties = parties(call, from, to), .party = at(std::move(party), remote)});
  }
  Reply remove(std::string_view call, std::string_view from, std::string_view to = "", bool weak = false) {
    return run(Delete{.parties = parties(call, from, to), .weak = weak});
  }
  Reply query(std::string_view call, std::string_view from, std::string_view to = "") {
    return run(Query{.parties = parties(call, from, to)});
  }

  // What the forwarding half has to say, said.
  void deliver() {
    for (const auto& event : std::exchange(forwarder.closed, {})) calls.on(event, now);
    for (const auto& event : std::exchange(forwarder.gone, {})) calls.on(event, now);
  }
  void pass(seconds time) {
    for (; time.count() > 0; --time) {
      now.mono += seconds{1};
      now.wall += seconds{1};
      calls.tick(now);
    }
    deliver();
  }
  // A packet was accepted, as the worker would count it.
  void packet(const flow::FlowPlan& plan, flow::Slot slot, flow::Count what = flow::Count::packets_in) {
    port(plan, slot).counters->add(what);
  }

  [[nodiscard]] const flow::FlowPlan& only_plan() const {
    EXPECT_EQ(forwarder.plans.size(), 1U);
    return forwarder.plans.begin()->second;
  }
  [[nodiscard]] static const flow::PortPlan& port(const flow::FlowPlan& plan, flow::Slot slot) {
    return *std::ranges::find(plan.ports, slot, &flow::PortPlan::slot);
  }
  [[nodiscard]] static Parties parties(std::string_view call, std::string_view from, std::string_view to) {
    return {.call_id = std::string{call}, .from = std::string{from}, .to = std::string{to}};
  }

  Settings settings;
  std::map<std::uint16_t, int> refusals;  // port → errno of whoever wants to bind it
  net::PortPool pool;
  RecordingForwarder forwarder;
  flow::CounterArena counters;
  RememberingListener listener;
  Now now{.mono = TimePoint{seconds{1000}}, .wall = WallTime{seconds{1'700'000'000}}};
  Calls calls;

 private:
  std::expected<net::UniqueFd, SysError> bind(const net::Endpoint& local) const {
    const auto refusal = refusals.find(local.port.value());
    if (refusal == refusals.end()) return net::UniqueFd{-1};
    return std::unexpected{SysError{refusal->second, "bind " + local.to_string()}};
  }
  static PartySide at(PartySide party, std::string_view remote) {
    if (!remote.empty()) party.remote = endpoint(remote);
    return party;
  }
  static HostAddresses host(WorldOptions options) {
    return {.towards = [routes = options.routes](const net::Address& remote) -> std::optional<net::Address> {
              const auto found = routes.find(remote.to_string());
              if (found == routes.end()) return std::nullopt;
              return address(found->second);
            },
            .is_local = [known = options.host_addresses](
                            const net::Address& each) { return known.contains(each.to_string()); }};
  }
};

inline constexpr std::string_view kListen = "127.0.0.1:5000", kForward = "127.0.0.1:5010",
                                  kDestination = "127.0.0.9:9000";
inline Create create(std::string_view id, std::string_view listen = kListen, std::string_view forward = kForward,
                     std::string_view destination = kDestination) {
  return {.call_id = std::string{id},
          .caller = {.local = endpoint(listen)},
          .callee = {.local = endpoint(forward)},
          .destination = endpoint(destination),
          .options = {}};
}
inline const View& view_in(const Reply& reply) {
  static const View kNone{};
  const auto* view = std::get_if<View>(&reply);
  EXPECT_NE(view, nullptr) << "reply " << reply.index();
  return view == nullptr ? kNone : *view;
}

// The local RTP port of a reply; 0 when it is something else.
inline int port_in(const Reply& reply) {
  const auto* media = std::get_if<LocalMedia>(&reply);
  return media != nullptr ? media->local.port.value() : 0;
}
inline std::string address_in(const Reply& reply) {
  const auto* media = std::get_if<LocalMedia>(&reply);
  return media != nullptr ? media->local.address.to_string() : "no address";
}
inline std::optional<Error> error_in(const Reply& reply) {
  const auto* error = std::get_if<Error>(&reply);
  return error != nullptr ? std::optional{*error} : std::nullopt;
}
inline bool is_done(const Reply& reply) { return std::holds_alternative<Done>(reply); }

}  // namespace millrace::session::testing
