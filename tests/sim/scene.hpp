#pragma once
// A stage for tests: one node, one network, a caller and a callee, and the signalling between them.

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "sim/network.hpp"
#include "sim/node.hpp"
#include "sim/phone.hpp"
#include "sim/random.hpp"
#include "sim/schedule.hpp"

namespace millrace::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr seconds kIdle{5};

struct SceneOptions {
  std::uint64_t seed = 1;
  flow::LatchPolicy policy = flow::LatchPolicy::safe;
  Quality quality{};
  bool caller_behind_nat = false;
  bool callee_behind_nat = false;
};

class Scene {
 public:
  explicit Scene(const SceneOptions& options)
      : random{options.seed}, network{schedule, random, options.quality}, node{schedule, network, settings(options)} {
    if (options.caller_behind_nat) caller_nat = std::make_unique<Nat>(network, net::Address::ipv4(0xcb007101));
    if (options.callee_behind_nat) callee_nat = std::make_unique<Nat>(network, net::Address::ipv4(0xcb007201));
    caller = phone(caller_nat.get(), 0xc0a80100);
    callee = phone(callee_nat.get(), 0xc0a80200);
    introduce();
  }

  // The caller offers; the callee gets the reply's port and may send early media there.
  void invite() { callee->talk_to(local_of(offer(caller->signalled()))); }
  void pick_up() { caller->talk_to(local_of(answer(callee->signalled()))); }
  void place_call() {
    invite();
    schedule.run_for(milliseconds{100});
    pick_up();
  }
  void hang_up() {
    caller->hush();
    callee->hush();
    EXPECT_TRUE(std::holds_alternative<session::Done>(node.command(session::Delete{.parties = parties()})));
  }
  // Long enough for what is on its way, and for a connection that nobody ended.
  void let_settle() { schedule.run_for(kIdle + seconds{3}); }

  session::Reply offer(const net::Endpoint& remote, bool new_port = false) {
    return node.command(session::Offer{.parties = parties(), .party = {.remote = remote, .new_port = new_port}});
  }
  session::Reply answer(const net::Endpoint& remote) {
    return node.command(session::Answer{.parties = parties(), .party = {.remote = remote}});
  }
  // The caller goes on from another address, with a stream of its own (a transfer, another network).
  void move_caller() {
    caller->hush();
    former.push_back(std::move(caller));
    caller = phone(caller_nat.get(), 0xc0a80100);
    introduce();
    offer(caller->signalled());
    caller->talk_to(local_of(answer(callee->signalled())));
  }

  [[nodiscard]] const session::Connection* connection() const {
    const session::Call* call = node.calls().find("call");
    return call == nullptr ? nullptr : &call->connections().front();
  }
  // Where the relay sends what is for that side.
  [[nodiscard]] net::Endpoint destination(session::Side side) const {
    const auto& remote = connection()->stream(side).port(session::Channel::rtp).remote;
    return remote == nullptr ? net::Endpoint{} : remote->destination;
  }
  static net::Endpoint local_of(const session::Reply& reply) {
    const auto* media = std::get_if<session::LocalMedia>(&reply);
    EXPECT_NE(media, nullptr);
    return media == nullptr ? net::Endpoint{} : media->local;
  }
  static session::Parties parties() { return {.call_id = "call", .from = "f;1", .to = "t;1"}; }

  Schedule schedule;
  Random random;
  Network network;
  Node node;
  std::unique_ptr<Nat> caller_nat, callee_nat;
  std::unique_ptr<Phone> caller, callee;
  std::vector<std::unique_ptr<Phone>> former;  // nobody sends to them any more, but packets may be on their way

 private:
  static session::Settings settings(const SceneOptions& options) {
    session::Settings settings{.idle_timeout = kIdle, .setup_timeout = kIdle};
    settings.latching.policy = options.policy;
    return settings;
  }
  std::unique_ptr<Phone> phone(Nat* nat, std::uint32_t network_part) {
    const std::uint32_t number = ++phones_;
    const net::Endpoint rtp{net::Address::ipv4(network_part + number),
                            Port{static_cast<std::uint16_t>(4000 + 10 * number)}};
    return std::make_unique<Phone>(schedule, network, nat, rtp, 0x1000 + number);
  }
  void introduce() {
    caller->expect(*callee);
    callee->expect(*caller);
  }

  std::uint32_t phones_ = 0;
};

// Every datagram that came to a port was relayed or is counted under a reason; every counter matches what was seen
// from outside; nothing is left of what ended.
void expect_conservation(const Scene& scene);

}  // namespace millrace::sim
