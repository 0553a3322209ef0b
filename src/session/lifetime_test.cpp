// Time-outs of whole connections, what is said of their end, and the sums that are left of them.

#include <gtest/gtest.h>

#include "session/testing.hpp"

namespace millrace::session {
namespace {

using flow::Count;
using flow::Drop;
using flow::Slot;
using std::chrono::seconds;
using testing::error_in;
using testing::is_done;
using testing::World;
using testing::WorldOptions;

WorldOptions short_lived() { return {.settings = {.idle_timeout = seconds{10}, .setup_timeout = seconds{3}}}; }

void set_up(World& world) {
  world.offer("c1", "127.0.0.1:5000", "f");
  world.answer("c1", "127.0.0.1:6000", "f", "t");
}

EndReason only_end(const World& world) {
  const auto ends = world.listener.all<ConnectionEnded>();
  EXPECT_EQ(ends.size(), 1U);
  return ends.empty() ? EndReason::shutdown : ends.front().reason;
}

std::int64_t ttl(World& world) { return std::get<ConnectionCounters>(world.query("c1", "f", "t")).ttl.count(); }

TEST(Lifetime, an_offer_nobody_answers_ends_between_ttl_and_one_second_more) {
  World world{short_lived()};
  world.offer("c1", "127.0.0.1:5000", "f");
  world.pass(seconds{3});
  EXPECT_NE(world.calls.find("c1"), nullptr);
  world.pass(seconds{1});
  EXPECT_EQ(world.calls.find("c1"), nullptr);
  EXPECT_EQ(only_end(world), EndReason::setup_timeout);
  EXPECT_EQ(world.calls.totals().timed_out, 1U);
  EXPECT_EQ(world.pool.statistics().in_use, 0U);
}

TEST(Lifetime, packets_of_either_party_and_of_rtcp_keep_a_connection) {
  World world{short_lived()};
  set_up(world);
  for (const Slot slot : {Slot::offerer_rtp, Slot::answerer_rtp, Slot::answerer_rtcp}) {
    world.pass(seconds{9});
    world.packet(world.only_plan(), slot);
    EXPECT_EQ(ttl(world), 10) << "counts before the next sweep already";
  }
  world.pass(seconds{10});
  EXPECT_NE(world.calls.find("c1"), nullptr);
  world.pass(seconds{1});
  EXPECT_EQ(only_end(world), EndReason::idle_timeout);
}

TEST(Lifetime, offers_and_answers_start_again_and_queries_do_not) {
  World world{short_lived()};
  set_up(world);
  world.pass(seconds{4});
  EXPECT_EQ(ttl(world), 6);
  EXPECT_EQ(ttl(world), 6);
  world.answer("c1", "127.0.0.1:6000", "f", "t");
  EXPECT_EQ(ttl(world), 10);
  world.pass(seconds{4});
  world.offer("c1", "127.0.0.1:5000", "f", "t");
  EXPECT_EQ(ttl(world), 10);
}

TEST(Lifetime, with_timers_of_their_own_one_silent_party_ends_the_connection) {
  WorldOptions options = short_lived();
  options.settings.timer_per_party = true;
  World world{options};
  set_up(world);
  for (int second = 0; second < 10; ++second) {
    world.packet(world.only_plan(), Slot::offerer_rtp);
    world.pass(seconds{1});
  }
  EXPECT_NE(world.calls.find("c1"), nullptr);
  EXPECT_EQ(ttl(world), 0);
  world.packet(world.only_plan(), Slot::offerer_rtp);
  world.pass(seconds{1});
  EXPECT_EQ(only_end(world), EndReason::idle_timeout);
}

TEST(Lifetime, adjust_sets_the_ttl_at_once_and_for_resets) {
  World world{short_lived()};
  world.offer("c1", "127.0.0.1:5000", "f");
  EXPECT_TRUE(is_done(world.run(Adjust{.parties = World::parties("c1", "f", "t"), .ttl = seconds{7}})));
  EXPECT_EQ(ttl(world), 7);
  world.answer("c1", "127.0.0.1:6000", "f", "t");
  EXPECT_EQ(ttl(world), 7);
  EXPECT_EQ(error_in(world.run(Adjust{.parties = World::parties("c1", "x", "y"), .ttl = seconds{7}})),
            Error::not_found);
}

TEST(Lifetime, a_command_may_name_the_idle_ttl_of_its_connection) {
  World world{short_lived()};
  world.offer("c1", "127.0.0.1:5000", "f", "", {.idle_ttl = seconds{30}});
  EXPECT_EQ(ttl(world), 3);
  world.answer("c1", "127.0.0.1:6000", "f", "t");
  EXPECT_EQ(ttl(world), 30);
}

TEST(Lifetime, adjust_sets_the_tos_towards_one_party) {
  World world;
  set_up(world);
  EXPECT_EQ(World::port(world.only_plan(), Slot::offerer_rtp).tos, 184);
  world.run(Adjust{.parties = World::parties("c1", "f", "t"), .tos = 0});
  EXPECT_EQ(World::port(world.only_plan(), Slot::offerer_rtp).tos, 0);
  EXPECT_EQ(World::port(world.only_plan(), Slot::offerer_rtcp).tos, 0);
  EXPECT_EQ(World::port(world.only_plan(), Slot::answerer_rtp).tos, 184);
  world.run(Adjust{.parties = World::parties("c1", "f", "t"), .other_side = true, .tos = 32});
  EXPECT_EQ(World::port(world.only_plan(), Slot::answerer_rtp).tos, 32);
  world.offer("c1", "127.0.0.1:5000", "f", "t");
  EXPECT_EQ(World::port(world.only_plan(), Slot::answerer_rtp).tos, 32) << "stays";
}

TEST(Lifetime, a_held_connection_may_be_silent_for_longer) {
  WorldOptions options = short_lived();
  options.settings.held_timeout = seconds{100};
  World world{options};
  set_up(world);
  world.offer("c1", "0.0.0.0:5000", "f", "t");
  world.pass(seconds{100});
  EXPECT_NE(world.calls.find("c1"), nullptr);
  world.pass(seconds{1});
  EXPECT_EQ(only_end(world), EndReason::held_timeout);
}

TEST(Lifetime, the_maximum_duration_ends_a_connection_that_carries_media) {
  WorldOptions options = short_lived();
  options.settings.max_duration = seconds{20};
  World world{options};
  set_up(world);
  for (int second = 0; second < 20; ++second) {
    world.packet(world.only_plan(), Slot::offerer_rtp);
    world.pass(seconds{1});
    if (second < 19) {
      ASSERT_NE(world.calls.find("c1"), nullptr) << second;
    }
  }
  EXPECT_EQ(only_end(world), EndReason::max_duration);
  EXPECT_EQ(world.calls.totals().timed_out, 1U);
}

TEST(Lifetime, the_end_says_whom_to_notify_and_what_was_counted) {
  World world{short_lived()};
  world.run(Offer{
      .parties = World::parties("c1", "f;1", ""), .party = {}, .notify = Notify{.target = "unix:/n", .tag = "x"}});
  world.answer("c1", "127.0.0.1:6000", "f;1", "t;1");
  world.packet(world.only_plan(), Slot::offerer_rtp);
  world.pass(seconds{20});
  const auto ends = world.listener.all<ConnectionEnded>();
  ASSERT_EQ(ends.size(), 1U);
  ASSERT_TRUE(ends.front().notify.has_value());
  EXPECT_EQ(ends.front().notify->target, "unix:/n");
  EXPECT_EQ(ends.front().counters.party_rtp[Count::packets_in], 1U);
  const Change& change = world.listener.changes.back();
  EXPECT_EQ(change.call_id, "c1");
  EXPECT_EQ(change.offerer_tag, "f;1");
  EXPECT_EQ(change.answerer_tag, "t;1");
}

TEST(Lifetime, an_offer_without_a_target_removes_it) {
  World world{short_lived()};
  world.run(Offer{.parties = World::parties("c1", "f", ""), .party = {}, .notify = Notify{.target = "n", .tag = "x"}});
  world.answer("c1", "127.0.0.1:6000", "f", "t");
  world.offer("c1", "127.0.0.1:5000", "f", "t");
  world.pass(seconds{20});
  EXPECT_FALSE(world.listener.all<ConnectionEnded>().front().notify.has_value());
}

TEST(Lifetime, a_life_is_told_in_changes) {
  World world;
  set_up(world);
  world.offer("c1", "127.0.0.1:5002", "f", "t");
  flow::RemoteState remote{.signalled = testing::endpoint("127.0.0.1:5002"),
                           .destination = testing::endpoint("127.0.0.9:9"),
                           .learned = true,
                           .locked = false,
                           .history = {}};
  remote.history.push_back({.at = world.now.wall, .endpoint = remote.destination, .cause = flow::Cause::first_packet});
  world.calls.on(flow::RemoteChanged{.connection = world.only_plan().id, .slot = Slot::offerer_rtp, .remote = remote},
                 world.now);
  const MediaPort& port = world.calls.find("c1")->connections().front().stream(Side::offerer).port(Channel::rtp);
  ASSERT_NE(port.remote, nullptr);
  EXPECT_EQ(port.remote->destination, testing::endpoint("127.0.0.9:9"));
  EXPECT_EQ(port.remote->history.size(), 1U);
  world.remove("c1", "f");
  std::vector<std::size_t> kinds;
  for (const Change& change : world.listener.changes) kinds.push_back(change.what.index());
  EXPECT_EQ(kinds, (std::vector<std::size_t>{0, 1, 2, 5, 3, 4}));
  EXPECT_EQ(world.listener.changes.front().answerer_tag, "") << "not named yet";
}

TEST(Lifetime, shutdown_ends_everything) {
  World world;
  set_up(world);
  world.calls.end_all(EndReason::shutdown, world.now);
  EXPECT_EQ(only_end(world), EndReason::shutdown);
  EXPECT_EQ(world.forwarder.removed.size(), 1U);
}

TEST(Totals, tell_which_completed_connections_were_silent) {
  struct Case {
    std::string_view name;
    std::vector<Slot> packets;
    bool complete;
    std::uint64_t no_rtp, one_way_rtp, no_rtcp, one_way_rtcp;
  };
  const std::array cases{
      Case{"never answered", {}, false, 0, 0, 0, 0},
      Case{"silent", {}, true, 1, 0, 1, 0},
      Case{"caller alone", {Slot::offerer_rtp}, true, 0, 1, 1, 0},
      Case{"callee alone, with its rtcp", {Slot::answerer_rtp, Slot::answerer_rtcp}, true, 0, 1, 0, 1},
      Case{"both", {Slot::offerer_rtp, Slot::answerer_rtp, Slot::offerer_rtcp, Slot::answerer_rtcp}, true, 0, 0, 0, 0},
  };
  for (const Case& c : cases) {
    World world;
    world.offer("c1", "127.0.0.1:5000", "f");
    if (c.complete) world.answer("c1", "127.0.0.1:6000", "f", "t");
    for (const Slot slot : c.packets) world.packet(world.only_plan(), slot);
    world.remove("c1", "f");
    const Totals totals = world.calls.totals();
    EXPECT_EQ(totals.no_rtp, c.no_rtp) << c.name;
    EXPECT_EQ(totals.one_way_rtp, c.one_way_rtp) << c.name;
    EXPECT_EQ(totals.no_rtcp, c.no_rtcp) << c.name;
    EXPECT_EQ(totals.one_way_rtcp, c.one_way_rtcp) << c.name;
    EXPECT_EQ(totals.completed, c.complete ? 1U : 0U) << c.name;
  }
}

TEST(Totals, count_packets_of_the_living_and_the_ended_alike) {
  World world;
  set_up(world);
  const auto& rtp = *World::port(world.only_plan(), Slot::offerer_rtp).counters;
  auto& block = const_cast<flow::CounterBlock&>(rtp);
  block.add(Count::packets_in, 10);
  block.add(Count::packets_relayed, 7);
  block.drop(Drop::wrong_source);
  block.drop(Drop::not_complete);
  block.drop(Drop::limit);  // was accepted before
  for (const bool alive : {true, false}) {
    if (!alive) world.remove("c1", "f");
    const Totals totals = world.calls.totals();
    EXPECT_EQ(totals.packets_in, 12U);
    EXPECT_EQ(totals.packets_relayed, 7U);
    EXPECT_EQ(totals.packets_discarded, 5U);
    EXPECT_EQ(totals.active_connections, alive ? 1U : 0U);
  }
}

TEST(Totals, sum_up_reception_and_duration_at_the_end) {
  World world;
  set_up(world);
  world.packet(world.only_plan(), Slot::offerer_rtp, Count::rtp_expected);
  world.packet(world.only_plan(), Slot::answerer_rtp, Count::rtp_lost);
  world.packet(world.only_plan(), Slot::answerer_rtcp, Count::rtp_lost);
  world.pass(seconds{5});
  EXPECT_EQ(world.calls.totals().rtp_expected, 0U);
  EXPECT_EQ(world.calls.totals().duration_seconds, 0);
  world.remove("c1", "f");
  EXPECT_EQ(world.calls.totals().rtp_expected, 1U);
  EXPECT_EQ(world.calls.totals().rtp_lost, 1U) << "of RTP ports alone";
  EXPECT_EQ(world.calls.totals().duration_seconds, 5);
}

TEST(Totals, rate_is_of_the_last_second) {
  World world;
  set_up(world);
  world.pass(seconds{1});
  for (int i = 0; i < 50; ++i) world.packet(world.only_plan(), Slot::offerer_rtp);
  world.pass(seconds{1});
  EXPECT_EQ(world.calls.totals().packets_in_per_second, 50);
  world.pass(seconds{1});
  EXPECT_EQ(world.calls.totals().packets_in_per_second, 0);
}

TEST(Query, sees_the_counters_from_the_party_that_asks) {
  World world;
  set_up(world);
  world.packet(world.only_plan(), Slot::offerer_rtp);
  const auto caller = std::get<ConnectionCounters>(world.query("c1", "f", "t"));
  EXPECT_EQ(caller.party_rtp[Count::packets_in], 1U);
  EXPECT_EQ(caller.other_rtp[Count::packets_in], 0U);
  const auto callee = std::get<ConnectionCounters>(world.query("c1", "t", "f"));
  EXPECT_EQ(callee.party_rtp[Count::packets_in], 0U);
  EXPECT_EQ(callee.other_rtp[Count::packets_in], 1U);
  EXPECT_EQ(error_in(world.query("c1", "t")), Error::not_found);
}

TEST(MediaCommands, are_refused_and_stopping_what_does_not_play_is_not) {
  World world;
  set_up(world);
  const Parties here = World::parties("c1", "f", "t");
  const Parties nowhere = World::parties("c2", "f", "t");
  EXPECT_EQ(error_in(world.run(Play{.parties = here, .name = "x", .codecs = {}})), Error::no_codecs);
  EXPECT_EQ(error_in(world.run(Play{.parties = here, .name = "x", .codecs = {0}})), Error::not_supported);
  EXPECT_EQ(error_in(world.run(Play{.parties = nowhere, .name = "x", .codecs = {}})), Error::not_found);
  EXPECT_EQ(error_in(world.run(StartRecording{.parties = here})), Error::not_supported);
  EXPECT_EQ(error_in(world.run(StopRecording{.parties = here})), Error::not_supported);
  EXPECT_EQ(error_in(world.run(Copy{.parties = here, .target = "udp:127.0.0.1:1"})), Error::not_supported);
  EXPECT_TRUE(is_done(world.run(StopPlay{.parties = here})));
  EXPECT_EQ(error_in(world.run(StopPlay{.parties = nowhere})), Error::not_found);
}

}  // namespace
}  // namespace millrace::session
