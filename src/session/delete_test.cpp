// Delete, weak references, and what is left of a connection that ended.

#include <gtest/gtest.h>

#include "session/testing.hpp"

namespace millrace::session {
namespace {

using testing::error_in;
using testing::is_done;
using testing::port_in;
using testing::World;

TEST(Delete, an_exact_tag_ends_one_stream_and_a_bare_one_the_rest) {
  World world;
  for (const auto* tag : {"f;1", "f;2", "f;3"}) world.offer("c1", "127.0.0.1:5000", tag);
  EXPECT_TRUE(is_done(world.remove("c1", "f;1")));
  ASSERT_NE(world.calls.find("c1"), nullptr);
  EXPECT_EQ(world.calls.find("c1")->connections().size(), 2U);
  EXPECT_TRUE(is_done(world.remove("c1", "t", "f")));
  EXPECT_EQ(world.calls.find("c1"), nullptr);
  EXPECT_EQ(error_in(world.remove("c1", "f")), Error::not_found);
}

TEST(Delete, leaves_other_parties_of_the_call_alone) {
  World world;
  world.offer("c1", "127.0.0.1:5000", "tagtag;1");
  EXPECT_EQ(error_in(world.remove("c1", "tag")), Error::not_found);
  EXPECT_EQ(error_in(world.remove("c1", "x", "y")), Error::not_found);
  EXPECT_TRUE(is_done(world.remove("c1", "tagtag")));
}

TEST(Delete, a_weak_connection_stays_until_its_weak_reference_goes) {
  World world;
  world.offer("c1", "127.0.0.1:5000", "f", "", {.weak = true});
  EXPECT_TRUE(is_done(world.remove("c1", "f")));
  EXPECT_NE(world.calls.find("c1"), nullptr);
  EXPECT_TRUE(is_done(world.remove("c1", "f", "", true))) << "matches by `from`: the other weak flag";
  EXPECT_NE(world.calls.find("c1"), nullptr);
  EXPECT_TRUE(is_done(world.remove("c1", "t", "f", true)));
  EXPECT_EQ(world.calls.find("c1"), nullptr);
}

TEST(Delete, a_weak_answer_holds_the_offerers_leg) {
  World world;
  world.offer("c1", "127.0.0.1:5000", "f");
  world.answer("c1", "127.0.0.1:6000", "f", "t", {.weak = true});
  EXPECT_TRUE(is_done(world.remove("c1", "f")));
  EXPECT_NE(world.calls.find("c1"), nullptr);
  EXPECT_TRUE(is_done(world.remove("c1", "f", "t", true)));
  EXPECT_EQ(world.calls.find("c1"), nullptr);
}

TEST(Delete, weak_on_a_connection_that_is_held_strongly_changes_nothing_yet) {
  World world;
  world.offer("c1", "127.0.0.1:5000", "f");
  EXPECT_TRUE(is_done(world.remove("c1", "f", "", true)));
  EXPECT_NE(world.calls.find("c1"), nullptr);
}

TEST(Delete, a_later_offer_makes_a_weak_connection_strong) {
  World world;
  world.offer("c1", "127.0.0.1:5000", "f", "", {.weak = true});
  world.offer("c1", "127.0.0.1:5000", "f");
  EXPECT_TRUE(is_done(world.remove("c1", "t", "f", true)));
  EXPECT_NE(world.calls.find("c1"), nullptr);
  EXPECT_TRUE(is_done(world.remove("c1", "f")));
  EXPECT_EQ(world.calls.find("c1"), nullptr);
}

TEST(Delete, all_ends_everything_without_a_time_out) {
  World world;
  world.offer("c1", "127.0.0.1:5000", "f");
  world.offer("c2", "127.0.0.1:5000", "f");
  EXPECT_TRUE(is_done(world.run(DeleteAll{})));
  EXPECT_TRUE(world.calls.list().empty());
  EXPECT_EQ(world.calls.totals().destroyed, 2U);
  EXPECT_EQ(world.calls.totals().timed_out, 0U);
  for (const auto& ended : world.listener.all<ConnectionEnded>()) EXPECT_EQ(ended.reason, EndReason::all_deleted);
  EXPECT_TRUE(is_done(world.run(DeleteAll{})));
}

TEST(Delete, ports_and_counters_come_back_when_the_worker_has_let_go) {
  World world;
  world.offer("c1", "127.0.0.1:5000", "f");
  world.answer("c1", "127.0.0.1:6000", "f", "t");
  world.remove("c1", "f");
  EXPECT_EQ(world.pool.statistics().in_use, 2U);
  EXPECT_EQ(world.counters.in_use(), 4U);
  world.deliver();
  EXPECT_EQ(world.pool.statistics().in_use, 0U);
  EXPECT_EQ(world.counters.in_use(), 0U);
}

TEST(Delete, before_the_first_flush_gives_everything_back_at_once_and_tells_no_worker) {
  World world;
  const Parties parties = World::parties("c1", "f", "");
  EXPECT_NE(port_in(world.calls.execute(Offer{.parties = parties, .party = {}, .notify = {}}, world.now)), 0);
  EXPECT_TRUE(is_done(world.calls.execute(Delete{.parties = parties}, world.now)));
  world.calls.flush();
  EXPECT_EQ(world.pool.statistics().in_use, 0U);
  EXPECT_EQ(world.counters.in_use(), 0U);
  EXPECT_TRUE(world.forwarder.installed.empty());
  EXPECT_TRUE(world.forwarder.removed.empty());
}

TEST(Delete, events_of_a_connection_that_is_gone_are_ignored) {
  World world;
  world.offer("c1", "127.0.0.1:5000", "f");
  const ConnectionId id = world.only_plan().id;
  world.remove("c1", "f");
  world.calls.on(flow::RemoteChanged{.connection = id, .slot = flow::Slot::offerer_rtp, .remote = {}}, world.now);
  world.deliver();
  world.calls.on(flow::Removed{id}, world.now);
  EXPECT_EQ(world.counters.in_use(), 0U);
}

TEST(Delete, a_call_id_can_be_used_again) {
  World world;
  const std::string id(200, 'i');
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(port_in(world.offer(id, "127.0.0.1:5000", "f")), 0);
    EXPECT_EQ(world.calls.list().size(), 1U);
    EXPECT_TRUE(is_done(world.remove(id, "f")));
  }
  EXPECT_EQ(world.calls.totals().created, 3U);
}

}  // namespace
}  // namespace millrace::session
