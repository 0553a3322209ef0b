// Copies of one connection's media into another.

#include <gtest/gtest.h>

#include "session/fork.hpp"
#include "session/testing.hpp"

namespace millrace::session {
namespace {

using flow::Egress;
using flow::Slot;
using testing::error_in;
using testing::is_done;
using testing::World;

struct TwoConnections {
  TwoConnections() {
    for (const auto* call : {"source", "into"}) {
      world.offer(call, "127.0.0.1:5000", "f");
      world.answer(call, "127.0.0.1:6000", "f", "t");
    }
    source = world.calls.find("source")->connections().front().id;
    into = world.calls.find("into")->connections().front().id;
  }
  Reply fork(std::string_view from = "f", std::string_view to = "t") {
    return world.run(Fork{.into = World::parties("into", "f", "t"), .source = World::parties("source", from, to)});
  }
  [[nodiscard]] const flow::FlowPlan& plan(ConnectionId id) { return world.forwarder.plans.at(id); }
  [[nodiscard]] std::vector<Egress> egresses(ConnectionId id, Slot slot) {
    return World::port(plan(id), slot).egresses;
  }

  World world;
  ConnectionId source, into;
};

TEST(Fork, what_the_source_receives_also_leaves_from_the_copys_legs) {
  TwoConnections two;
  EXPECT_TRUE(is_done(two.fork()));
  for (const Slot slot : {Slot::offerer_rtp, Slot::offerer_rtcp, Slot::answerer_rtp, Slot::answerer_rtcp}) {
    const Slot out = flow::other_side(slot);
    EXPECT_EQ(two.egresses(two.source, slot), (std::vector<Egress>{{two.source, out}, {two.into, out}}));
    EXPECT_TRUE(two.egresses(two.into, slot).empty()) << "what the copy's own parties send is dropped";
  }
  EXPECT_EQ(two.plan(two.into).beside, two.source);
  EXPECT_EQ(two.plan(two.source).beside, std::nullopt);
}

TEST(Fork, is_turned_round_when_the_source_is_named_the_other_way) {
  TwoConnections two;
  EXPECT_TRUE(is_done(two.fork("t", "f")));
  EXPECT_EQ(two.egresses(two.source, Slot::offerer_rtp),
            (std::vector<Egress>{{two.source, Slot::answerer_rtp}, {two.into, Slot::offerer_rtp}}));
}

TEST(Fork, reaches_a_leg_that_gets_its_ports_later) {
  World world;
  world.offer("source", "127.0.0.1:5000", "f");
  world.answer("source", "127.0.0.1:6000", "f", "t");
  world.offer("into", "127.0.0.1:5000", "f", "t");
  world.run(Fork{.into = World::parties("into", "f", "t"), .source = World::parties("source", "f", "t")});
  const ConnectionId source = world.calls.find("source")->connections().front().id;
  const auto count = [&](Slot slot) { return World::port(world.forwarder.plans.at(source), slot).egresses.size(); };
  EXPECT_EQ(count(Slot::offerer_rtp), 2U);
  EXPECT_EQ(count(Slot::answerer_rtp), 1U) << "that leg of the copy has no ports yet";
  world.answer("into", "127.0.0.1:6000", "f", "t");
  EXPECT_EQ(count(Slot::answerer_rtp), 2U);
}

TEST(Fork, ends_with_either_connection) {
  {
    TwoConnections two;
    EXPECT_TRUE(is_done(two.fork()));
    two.world.remove("into", "f");
    EXPECT_EQ(two.egresses(two.source, Slot::offerer_rtp), (std::vector<Egress>{{two.source, Slot::answerer_rtp}}));
  }
  TwoConnections two;
  EXPECT_TRUE(is_done(two.fork()));
  two.world.remove("source", "f");
  EXPECT_EQ(two.plan(two.into).beside, std::nullopt);
  EXPECT_TRUE(two.egresses(two.into, Slot::offerer_rtp).empty()) << "it goes on listening only";
  EXPECT_TRUE(is_done(two.world.run(DeleteAll{})));
}

TEST(Fork, of_unknown_connections_circles_and_chains_is_refused) {
  TwoConnections two;
  World& world = two.world;
  const Parties into = World::parties("into", "f", "t"), source = World::parties("source", "f", "t");
  EXPECT_EQ(error_in(two.fork("x", "y")), Error::not_found);
  EXPECT_EQ(error_in(world.run(Fork{.into = into, .source = into})), Error::not_supported);
  EXPECT_TRUE(is_done(two.fork()));
  EXPECT_EQ(error_in(world.run(Fork{.into = source, .source = into})), Error::not_supported);
  world.offer("third", "127.0.0.1:5000", "f");
  EXPECT_EQ(error_in(world.run(Fork{.into = World::parties("third", "f", ""), .source = into})), Error::not_supported);
}

TEST(Fork, reaches_as_many_copies_as_a_port_has_egresses_and_no_more) {
  TwoConnections two;
  const auto fork_into = [&two](std::size_t number) {
    const std::string call = "copy" + std::to_string(number);
    two.world.offer(call, "127.0.0.1:5000", "f");
    return two.world.run(Fork{.into = World::parties(call, "f", ""), .source = World::parties("source", "f", "t")});
  };
  for (std::size_t number = 0; number < kMaxForks; ++number) EXPECT_TRUE(is_done(fork_into(number))) << number;
  EXPECT_EQ(two.egresses(two.source, Slot::offerer_rtp).size(), flow::kMaxEgresses);
  EXPECT_EQ(error_in(fork_into(kMaxForks)), Error::limit_reached);
  EXPECT_TRUE(is_done(fork_into(0))) << "again what it is already";
  EXPECT_EQ(two.egresses(two.source, Slot::offerer_rtp).size(), flow::kMaxEgresses);
}

TEST(Fork, a_second_one_replaces_the_first_source) {
  TwoConnections two;
  EXPECT_TRUE(is_done(two.fork()));
  two.world.offer("third", "127.0.0.1:5000", "f");
  two.world.answer("third", "127.0.0.1:6000", "f", "t");
  two.world.run(Fork{.into = World::parties("into", "f", "t"), .source = World::parties("third", "f", "t")});
  EXPECT_EQ(two.egresses(two.source, Slot::offerer_rtp).size(), 1U);
  EXPECT_EQ(two.plan(two.into).beside, two.world.calls.find("third")->connections().front().id);
}

}  // namespace
}  // namespace millrace::session
