// Sessions: what a Create makes, refuses and leaves behind; Update and End.

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <functional>
#include <string>
#include <tuple>

#include "session/testing.hpp"

namespace millrace::session {
namespace {

using flow::Slot;
using std::chrono::seconds;
using testing::create;
using testing::endpoint;
using testing::error_in;
using testing::view_in;
using testing::World;
using testing::WorldOptions;

// Nothing is open, counted or remembered.
void expect_nothing_left(World& world, std::string_view name) {
  world.deliver();
  EXPECT_EQ(world.pool.statistics().in_use, 0U) << name;
  EXPECT_EQ(world.counters.in_use(), 0U) << name;
  EXPECT_TRUE(world.calls.list().empty()) << name;
  EXPECT_TRUE(world.calls.connections(ConnectionId{0}, true).empty()) << name;
}

TEST(Session, is_not_for_a_sip_server_to_end_with_everything) {
  World world;
  (void)view_in(world.run(create("s1")));
  world.run(DeleteAll{});
  EXPECT_NE(world.calls.find("s1"), nullptr);
}

TEST(Session, is_a_call_with_one_complete_connection_of_two_sides) {
  World world;
  const View view = view_in(world.run(create("s1")));
  EXPECT_TRUE(view.session);
  EXPECT_EQ(view.call_id, "s1");
  EXPECT_EQ(view.state, State::connecting);
  EXPECT_EQ(view.created, world.now.wall);
  EXPECT_FALSE(view.last_activity);
  EXPECT_EQ(view.side(Side::offerer).name, "caller");
  EXPECT_EQ(view.side(Side::offerer).local, endpoint("127.0.0.1:5000"));
  EXPECT_FALSE(view.side(Side::offerer).remote.is_set());
  EXPECT_EQ(view.side(Side::answerer).name, "callee");
  EXPECT_EQ(view.side(Side::answerer).local, endpoint("127.0.0.1:5010"));
  EXPECT_EQ(view.side(Side::answerer).signalled, endpoint("127.0.0.9:9000"));
  EXPECT_EQ(view.side(Side::answerer).remote, endpoint("127.0.0.9:9000"));
  EXPECT_TRUE(view.side(Side::offerer).rtcp && view.side(Side::answerer).rtcp);
  EXPECT_EQ(view.idle_timeout, seconds{60});
  EXPECT_EQ(view.note, "");

  const Call* call = world.calls.find("s1");
  ASSERT_NE(call, nullptr);
  EXPECT_EQ(call->connections().size(), 1U);
  EXPECT_EQ(call->legs().size(), 2U);
  EXPECT_TRUE(call->connections().front().complete());
  EXPECT_EQ(world.calls.totals().created, 1U);
  EXPECT_EQ(world.calls.totals().completed, 1U);
  EXPECT_EQ(world.listener.all<ConnectionCreated>().size(), 1U);
  EXPECT_EQ(world.listener.all<ConnectionCompleted>().size(), 0U) << "it was never anything else";
}

TEST(Session, its_plan_joins_both_pairs_and_names_the_destination) {
  World world;
  world.run(create("s1"));
  const flow::FlowPlan& plan = world.only_plan();
  EXPECT_TRUE(plan.complete);
  ASSERT_EQ(plan.ports.size(), 4U);
  for (const Slot slot : {Slot::offerer_rtp, Slot::offerer_rtcp, Slot::answerer_rtp, Slot::answerer_rtcp}) {
    const flow::PortPlan& port = World::port(plan, slot);
    EXPECT_EQ(port.egresses, (std::vector<flow::Egress>{{plan.id, flow::other_side(slot)}}));
    EXPECT_NE(port.counters, nullptr);
    EXPECT_EQ(port.transport, flow::Transport::datagram);
  }
  EXPECT_EQ(World::port(plan, Slot::offerer_rtcp).local, endpoint("127.0.0.1:5001"));
  EXPECT_FALSE(World::port(plan, Slot::offerer_rtp).signalled.is_set());
  EXPECT_EQ(World::port(plan, Slot::answerer_rtp).signalled, endpoint("127.0.0.9:9000"));
  EXPECT_EQ(World::port(plan, Slot::answerer_rtcp).signalled, endpoint("127.0.0.9:9001"));
  EXPECT_EQ(World::port(plan, Slot::answerer_rtp).signalled_revision, 1U);
  EXPECT_FALSE(plan.limit.is_set());
}

TEST(Session, port_zero_is_one_of_the_ports_that_the_interface_hands_out) {
  World world{{.interfaces = {testing::interface("127.0.0.1", "lan", {10000, 10998}),
                              testing::interface("127.0.0.2", "wan", {20000, 20998})},
               .host_addresses = {"127.0.0.3"}}};
  const View view = view_in(world.run(create("s1", "127.0.0.1:0", "127.0.0.2:0")));
  EXPECT_EQ(view.side(Side::offerer).local, endpoint("127.0.0.1:10000"));
  EXPECT_EQ(view.side(Side::answerer).local, endpoint("127.0.0.2:20000"));
  const View beside = view_in(world.run(create("s2", "127.0.0.3:0", "0.0.0.0:0")));
  EXPECT_EQ(beside.side(Side::offerer).local, endpoint("127.0.0.3:10000")) << "the default interface's range";
  EXPECT_EQ(beside.side(Side::answerer).local, endpoint("0.0.0.0:10000"));
}

TEST(Session, ends_by_its_connection_with_its_last_view) {
  World world;
  const View view = view_in(world.run(create("s1")));
  world.packet(world.only_plan(), Slot::offerer_rtp);
  const View last = view_in(world.run(End{view.id}));
  EXPECT_EQ(last.id, view.id);
  EXPECT_EQ(last.state, State::closed);
  EXPECT_EQ(last.side(Side::offerer).rtp_counters[flow::Count::packets_in], 1U);
  const auto ends = world.listener.all<ConnectionEnded>();
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends.front().reason, EndReason::deleted);
  expect_nothing_left(world, "ended");
  EXPECT_EQ(error_in(world.run(End{view.id})), Error::not_found);
}

// What a Create is refused with, in words.
std::string refusal(const Reply& reply) {
  if (const auto* error = std::get_if<Error>(&reply)) return std::string{describe(*error)};
  const auto* refused = std::get_if<PortRefused>(&reply);
  if (refused == nullptr) return "not refused";
  return std::string{refused->callee_side ? "callee " : "caller "} + refused->local.to_string() + ": " +
         std::string{describe(refused->error)} + ": " + refused->reason;
}

TEST(Session, that_is_refused_says_why_and_leaves_nothing) {
  struct Case {
    const char* name;
    const char *listen, *forward, *destination;
  };
  constexpr const char* kNoAddress = "the local address is unknown or cannot be used";
  const std::string no_port = "no free port pair for a new connection: ";
  const std::string foreign = std::string{kNoAddress} + ": " + kNoAddress;
  const std::array cases{
      std::tuple{Case{"listen address", "192.0.2.1:5000", "127.0.0.1:5010", "127.0.0.9:9"},
                 "caller 192.0.2.1:5000: " + foreign},
      std::tuple{Case{"forward address", "127.0.0.1:5000", "192.0.2.1:0", "127.0.0.9:9"},
                 "callee 192.0.2.1:0: " + foreign},
      std::tuple{Case{"listen port", "127.0.0.1:6000", "127.0.0.1:5010", "127.0.0.9:9"},
                 "caller 127.0.0.1:6000: " + no_port + "bind 127.0.0.1:6000: Address already in use"},
      std::tuple{Case{"forward port", "127.0.0.1:5000", "127.0.0.1:6000", "127.0.0.9:9"},
                 "callee 127.0.0.1:6000: " + no_port + "bind 127.0.0.1:6000: Address already in use"},
      std::tuple{Case{"forward port beside a chosen one", "127.0.0.1:0", "127.0.0.1:6000", "127.0.0.9:9"},
                 "callee 127.0.0.1:6000: " + no_port + "bind 127.0.0.1:6000: Address already in use"},
      std::tuple{Case{"forbidden port", "127.0.0.1:80", "127.0.0.1:5010", "127.0.0.9:9"},
                 "caller 127.0.0.1:80: " + no_port + "bind 127.0.0.1:80: Permission denied"},
      std::tuple{Case{"the same port twice", "127.0.0.1:5000", "127.0.0.1:5000", "127.0.0.9:9"},
                 "callee 127.0.0.1:5000: " + no_port + "bind 127.0.0.1:5000: Address already in use"},
      std::tuple{Case{"destination of another family", "127.0.0.1:5000", "127.0.0.1:5010", "[::1]:9"},
                 std::string{describe(Error::no_address_of_family)}},
      std::tuple{Case{"destination port 0", "127.0.0.1:5000", "127.0.0.1:5010", "127.0.0.9:0"},
                 std::string{describe(Error::no_route)}},
      std::tuple{Case{"destination is nobody", "127.0.0.1:5000", "127.0.0.1:5010", "0.0.0.0:9"},
                 std::string{describe(Error::no_route)}},
  };
  for (const auto& [c, expected] : cases) {
    World world;
    world.refusals = {{6000, EADDRINUSE}, {80, EACCES}};
    EXPECT_EQ(refusal(world.run(create("s1", c.listen, c.forward, c.destination))), expected) << c.name;
    EXPECT_TRUE(world.listener.changes.empty()) << c.name;
    EXPECT_EQ(world.calls.totals().created, 0U) << c.name;
    expect_nothing_left(world, c.name);
    world.refusals.clear();
    EXPECT_EQ(view_in(world.run(create("s2"))).call_id, "s2") << c.name << ": nothing stands in the way of the next";
  }
}

TEST(Session, an_exhausted_range_is_named) {
  World world{{.interfaces = {testing::interface("127.0.0.1", "", {10000, 10002})}}};
  EXPECT_EQ(view_in(world.run(create("s1", "127.0.0.1:0", "127.0.0.1:0"))).note, "");
  EXPECT_EQ(refusal(world.run(create("s2", "127.0.0.1:5000", "127.0.0.1:0"))),
            "callee 127.0.0.1:0: no free port pair for a new connection: no free port pair in 10000-10003");
  EXPECT_EQ(world.pool.statistics().in_use, 2U);
}

TEST(Session, a_call_id_in_use_is_refused_whoever_uses_it) {
  World world;
  world.run(create("s1"));
  world.offer("c1", "127.0.0.1:7000", "f");
  EXPECT_EQ(error_in(world.run(create("s1", "127.0.0.1:6000", "127.0.0.1:6010"))), Error::in_use);
  EXPECT_EQ(error_in(world.run(create("c1", "127.0.0.1:6000", "127.0.0.1:6010"))), Error::in_use);
  EXPECT_EQ(world.pool.statistics().in_use, 3U);
}

TEST(Session, limits_and_states_of_the_node_are_answered) {
  {
    World world{{.settings = {.max_connections = 1}}};
    world.run(create("s1"));
    EXPECT_EQ(error_in(world.run(create("s2", "127.0.0.1:0", "127.0.0.1:0"))), Error::limit_reached);
  }
  World world;
  Create longer = create(std::string(kMaxName + 1, 's'));
  EXPECT_EQ(error_in(world.run(longer)), Error::limit_reached);
  longer.call_id.pop_back();
  EXPECT_EQ(view_in(world.run(longer)).call_id.size(), kMaxName);
  world.forwarder.accepting = false;
  EXPECT_EQ(error_in(world.run(create("s2", "127.0.0.1:0", "127.0.0.1:0"))), Error::busy);
  world.calls.drain();
  EXPECT_EQ(error_in(world.run(create("s2", "127.0.0.1:0", "127.0.0.1:0"))), Error::draining);
}

TEST(Session, an_owner_has_as_many_as_it_may_after_every_kind_of_end) {
  struct Case {
    const char* name;
    std::function<void(World&)> end;
  };
  const std::array cases{
      Case{"end", [](World& world) { world.run(End{*world.calls.find_session("s1")}); }},
      Case{"delete", [](World& world) { world.remove("s1", kCaller); }},
      Case{"idle", [](World& world) { world.pass(seconds{6}); }},
      Case{"maximum duration",
           [](World& world) {
             world.settings.max_duration = seconds{1};
             world.pass(seconds{1});
             world.settings.max_duration = seconds{0};
           }},
      Case{"end of all", [](World& world) { world.calls.end_all(EndReason::shutdown, world.now); }},
  };
  for (const Case& c : cases) {
    World world{{.settings = {.idle_timeout = seconds{5}, .max_connections_per_owner = 1}}};
    Create first = create("s1"), second = create("s2", "127.0.0.1:6000", "127.0.0.1:6010"), other = second;
    first.owner = second.owner = "ann";
    other.owner = "bob";
    EXPECT_EQ(view_in(world.run(first)).owner, "ann") << c.name;
    EXPECT_EQ(error_in(world.run(second)), Error::owner_limit_reached) << c.name;
    c.end(world);
    expect_nothing_left(world, c.name);
    EXPECT_EQ(view_in(world.run(second)).owner, "ann") << c.name;
    world.refusals = {{6000, EADDRINUSE}};
    EXPECT_NE(refusal(world.run(other)), "not refused") << c.name;
    world.refusals.clear();
    other.caller.local = other.callee.local = endpoint("127.0.0.1:0");
    other.call_id = "s3";
    EXPECT_EQ(view_in(world.run(other)).owner, "bob") << c.name << ": what was refused does not count";
  }
}

TEST(Session, runs_without_rtcp_on_both_sides_where_one_cannot_have_it_and_says_so) {
  struct Case {
    const char *name, *listen, *forward;
    std::uint16_t taken;
    const char* note;
  };
  for (const Case& c :
       {Case{"listen", "127.0.0.1:5000", "127.0.0.1:5010", 5001, "bind 127.0.0.1:5001: Address already in use"},
        Case{"forward", "127.0.0.1:5000", "127.0.0.1:5010", 5011, "bind 127.0.0.1:5011: Address already in use"},
        Case{"a chosen pair beside it", "127.0.0.1:5000", "127.0.0.1:0", 5001,
             "bind 127.0.0.1:5001: Address already in use"},
        Case{"the neighbour is the other side", "127.0.0.1:5000", "127.0.0.1:5001", 0,
             "bind 127.0.0.1:5001: Address already in use"},
        Case{"the last port", "127.0.0.1:65535", "127.0.0.1:5010", 0, "there is no port above 65535"}}) {
    World world;
    if (c.taken != 0) world.refusals[c.taken] = EADDRINUSE;
    const View view = view_in(world.run(create("s1", c.listen, c.forward)));
    EXPECT_EQ(view.note, std::string{"runs without RTCP: "} + c.note) << c.name;
    EXPECT_FALSE(view.side(Side::offerer).rtcp || view.side(Side::answerer).rtcp) << c.name;
    ASSERT_EQ(world.only_plan().ports.size(), 2U) << c.name;
    EXPECT_EQ(world.only_plan().ports[0].egresses.size(), 1U) << c.name;
    EXPECT_EQ(world.counters.in_use(), 2U) << c.name;
    world.run(End{view.id});
    expect_nothing_left(world, c.name);
    EXPECT_EQ(world.calls.totals().no_rtp, 1U) << c.name;
    EXPECT_EQ(world.calls.totals().no_rtcp, 0U) << c.name << ": there could not be any";
  }
}

TEST(Session, odd_ports_have_their_rtcp_above_them) {
  World world;
  const View view = view_in(world.run(create("s1", "127.0.0.1:5001", "127.0.0.1:10003")));
  EXPECT_EQ(view.note, "");
  EXPECT_EQ(World::port(world.only_plan(), Slot::offerer_rtcp).local, endpoint("127.0.0.1:5002"));
  EXPECT_EQ(World::port(world.only_plan(), Slot::answerer_rtcp).local, endpoint("127.0.0.1:10004"));
  world.run(create("s2", "127.0.0.1:0", "127.0.0.1:0"));
  EXPECT_EQ(world.calls.view(*world.calls.find_session("s2"), world.now)->side(Side::answerer).local,
            endpoint("127.0.0.1:10006"))
      << "10002 and 10004 are halves of pairs that are in use";
}

TEST(Session, idle_time_is_the_configured_one_its_own_or_none) {
  World world{{.settings = {.idle_timeout = seconds{10}}}};
  Create own = create("own", "127.0.0.1:0", "127.0.0.1:0"), never = own, configured = own;
  own.options.idle_timeout = seconds{20};
  never.call_id = "never";
  never.options.idle_timeout = seconds{0};
  configured.call_id = "configured";
  EXPECT_EQ(view_in(world.run(own)).idle_timeout, seconds{20});
  EXPECT_EQ(view_in(world.run(never)).idle_timeout, std::nullopt);
  EXPECT_EQ(view_in(world.run(configured)).idle_timeout, seconds{10});
  world.pass(seconds{11});
  EXPECT_EQ(world.calls.find("configured"), nullptr);
  world.pass(seconds{10});
  EXPECT_EQ(world.calls.find("own"), nullptr);
  world.pass(seconds{10000});
  EXPECT_NE(world.calls.find("never"), nullptr);
  world.run(Update{.call_id = "never", .options = {.idle_timeout = seconds{3}}});
  world.pass(seconds{3});
  EXPECT_NE(world.calls.find("never"), nullptr);
  world.pass(seconds{1});
  EXPECT_EQ(world.calls.find("never"), nullptr);
  for (const ConnectionEnded& each : world.listener.all<ConnectionEnded>()) {
    EXPECT_EQ(each.reason, EndReason::idle_timeout);
  }
}

TEST(Session, is_updated_in_what_the_update_names) {
  World world;
  Create command = create("s1");
  command.options.limit = flow::RateLimit{.packets_per_second = 50};
  world.run(command);
  const View moved = view_in(world.run(Update{.call_id = "s1", .destination = endpoint("127.0.0.8:8000")}));
  EXPECT_EQ(moved.side(Side::answerer).signalled, endpoint("127.0.0.8:8000"));
  EXPECT_EQ(World::port(world.only_plan(), Slot::answerer_rtp).signalled_revision, 2U);
  EXPECT_EQ(moved.limit.packets_per_second, 50U) << "as it was";
  const View slower =
      view_in(world.run(Update{.call_id = "s1", .options = {.limit = flow::RateLimit{.bits_per_second = 64000}}}));
  EXPECT_EQ(slower.limit.packets_per_second, 0U);
  EXPECT_EQ(world.only_plan().limit.bits_per_second, 64000U);
  EXPECT_EQ(world.listener.all<ConnectionUpdated>().size(), 2U);

  EXPECT_EQ(error_in(world.run(Update{.call_id = "s1", .destination = endpoint("[::1]:8000")})),
            Error::no_address_of_family);
  EXPECT_EQ(error_in(world.run(Update{.call_id = "s2"})), Error::not_found);
  world.offer("c1", "127.0.0.1:7000", "f");
  EXPECT_EQ(error_in(world.run(Update{.call_id = "c1"})), Error::not_found) << "of sessions only";
}

TEST(Session, a_limit_of_its_own_only_lowers_the_configured_one) {
  struct Case {
    const char* name;
    flow::LimitSettings configured;
    flow::RateLimit own, expected;
  };
  using std::chrono::milliseconds;
  for (const Case& c :
       {Case{"nothing", {}, {}, {}},
        Case{"configured", {100, 64000, milliseconds{500}}, {}, {100, 64000, milliseconds{500}}},
        Case{"own", {}, {50, 0, milliseconds{2000}}, {50, 0, milliseconds{2000}}},
        Case{"lower", {100, 64000, milliseconds{500}}, {50, 32000, milliseconds{100}}, {50, 32000, milliseconds{100}}},
        Case{"higher",
             {100, 64000, milliseconds{500}},
             {200, 128000, milliseconds{2000}},
             {100, 64000, milliseconds{500}}},
        Case{"one of each",
             {100, 0, milliseconds{500}},
             {0, 64000, milliseconds{500}},
             {100, 64000, milliseconds{500}}}}) {
    WorldOptions options;
    options.settings.limits = c.configured;
    World world{options};
    Create command = create("s1");
    command.options.limit = c.own;
    EXPECT_EQ(view_in(world.run(command)).limit, c.expected) << c.name;
    EXPECT_EQ(world.only_plan().limit, c.expected) << c.name;
  }
}

TEST(Session, configured_limits_are_in_the_plans_of_text_protocol_calls_too) {
  WorldOptions options;
  options.settings.limits.packets_per_second = 100;
  World world{options};
  world.offer("c1", "127.0.0.1:7000", "f");
  EXPECT_EQ(world.only_plan().limit.packets_per_second, 100U);
}

TEST(Session, its_client_is_learned_whatever_the_policy_for_signalled_parties_is) {
  WorldOptions options;
  options.settings.latching.policy = flow::LatchPolicy::strict;
  options.settings.asymmetric = true;
  World world{options};
  world.run(create("s1"));
  EXPECT_EQ(World::port(world.only_plan(), Slot::offerer_rtp).latching.policy, flow::LatchPolicy::safe);
  EXPECT_FALSE(World::port(world.only_plan(), Slot::offerer_rtp).latching.asymmetric);
  EXPECT_EQ(World::port(world.only_plan(), Slot::answerer_rtp).latching.policy, flow::LatchPolicy::strict);
}

TEST(Session, signalling_may_ask_and_end_it_but_not_reshape_it) {
  World world;
  world.run(create("s1"));
  EXPECT_EQ(error_in(world.offer("s1", "127.0.0.1:7000", kCaller, kCallee)), Error::not_supported);
  EXPECT_EQ(error_in(world.answer("s1", "127.0.0.1:7000", kCaller, kCallee)), Error::not_supported);
  EXPECT_TRUE(std::holds_alternative<ConnectionCounters>(world.query("s1", kCaller, kCallee)));
  EXPECT_TRUE(testing::is_done(world.remove("s1", kCaller)));
  expect_nothing_left(world, "deleted");
}

TEST(Session, is_found_by_its_id_and_calls_by_their_offerer) {
  World world;
  const ConnectionId session = view_in(world.run(create("s1"))).id;
  world.offer("c1", "127.0.0.1:7000", "f;1");
  world.offer("c1", "127.0.0.1:7002", "f;2");
  const ConnectionId later = view_in(world.run(create("s2", "127.0.0.1:0", "127.0.0.1:0"))).id;
  EXPECT_EQ(world.calls.find_session("s1"), session);
  EXPECT_EQ(world.calls.find_session("c1"), std::nullopt);
  EXPECT_EQ(world.calls.find_session("nobody"), std::nullopt);
  const auto second = world.calls.find_connection_of("c1", "f;2");
  ASSERT_TRUE(second);
  EXPECT_EQ(world.calls.view(*second, world.now)->side(Side::offerer).name, "f;2");
  EXPECT_EQ(world.calls.view(*second, world.now)->side(Side::answerer).name, "") << "not named yet";
  EXPECT_EQ(world.calls.find_connection_of("c1", "f"), std::nullopt);
  EXPECT_EQ(world.calls.connections(ConnectionId{0}, false), (std::vector{session, later}));
  EXPECT_EQ(world.calls.connections(ConnectionId{0}, true).size(), 4U);
  EXPECT_EQ(world.calls.connections(session, false), std::vector{later});
  EXPECT_EQ(world.calls.connections(*second, true), std::vector{later});
  EXPECT_FALSE(world.calls.view(ConnectionId{999}, world.now));
}

}  // namespace
}  // namespace millrace::session
