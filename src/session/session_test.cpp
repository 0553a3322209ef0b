// Sessions: what a Create makes, refuses and leaves behind; Update and End.

#include <gtest/gtest.h>

#include <cerrno>

#include "session/testing.hpp"

namespace millrace::session {
namespace {

using flow::Slot;
using std::chrono::seconds;
using testing::address;
using testing::endpoint;
using testing::error_in;
using testing::World;
using testing::WorldOptions;

Create create(std::string_view id, std::string_view listen = "127.0.0.1:5000",
              std::string_view forward = "127.0.0.1:5010", std::string_view destination = "127.0.0.9:9000") {
  return {.call_id = std::string{id},
          .caller = {.local = endpoint(listen)},
          .callee = {.local = endpoint(forward)},
          .destination = endpoint(destination),
          .options = {}};
}

const View& view_in(const Reply& reply) {
  static const View kNone{};
  const auto* view = std::get_if<View>(&reply);
  EXPECT_NE(view, nullptr) << "reply " << reply.index();
  return view == nullptr ? kNone : *view;
}

// Nothing is open, counted or remembered.
void expect_nothing_left(World& world, std::string_view name) {
  world.deliver();
  EXPECT_EQ(world.pool.statistics().in_use, 0U) << name;
  EXPECT_EQ(world.counters.in_use(), 0U) << name;
  EXPECT_TRUE(world.calls.list().empty()) << name;
  EXPECT_TRUE(world.calls.connections(ConnectionId{0}, true).empty()) << name;
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

}  // namespace
}  // namespace millrace::session
