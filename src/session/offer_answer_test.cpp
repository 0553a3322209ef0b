// Offer and Answer: which connection, which port, whose address.

#include <gtest/gtest.h>

#include <array>

#include "session/testing.hpp"

namespace millrace::session {
namespace {

using flow::Slot;
using testing::endpoint;
using testing::error_in;
using testing::port_in;
using testing::World;

TEST(OfferAnswer, a_first_offer_makes_the_port_of_the_answerer_and_repeats_it) {
  World world;
  const int port = port_in(world.offer("c1", "127.0.0.1:5000", "f1;1"));
  EXPECT_GE(port, 10000);
  EXPECT_EQ(port % 2, 0);
  EXPECT_EQ(port_in(world.offer("c1", "127.0.0.1:5000", "f1;1")), port);
  EXPECT_EQ(world.calls.totals().created, 1U);
  EXPECT_FALSE(world.only_plan().complete);
}

TEST(OfferAnswer, every_way_round_names_the_port_that_its_sender_must_get) {
  World world;
  const int answerer_port = port_in(world.offer("c1", "127.0.0.1:5000", "f1;1"));
  const int offerer_port = port_in(world.answer("c1", "127.0.0.1:6000", "f1;1", "t1;1"));
  EXPECT_NE(offerer_port, answerer_port);
  EXPECT_EQ(port_in(world.answer("c1", "127.0.0.1:5002", "t1;1", "f1;1")), answerer_port);
  EXPECT_EQ(port_in(world.offer("c1", "127.0.0.1:6002", "t1;1", "f1;1")), offerer_port);
  EXPECT_EQ(error_in(world.answer("c2", "127.0.0.1:6000", "t1", "f1")), Error::not_found);

  const auto& plan = world.only_plan();
  EXPECT_EQ(World::port(plan, Slot::offerer_rtp).local.port.value(), offerer_port);
  EXPECT_EQ(World::port(plan, Slot::answerer_rtp).local.port.value(), answerer_port);
  EXPECT_EQ(World::port(plan, Slot::offerer_rtp).signalled, endpoint("127.0.0.1:5002")) << "the reversed answer's";
  EXPECT_EQ(World::port(plan, Slot::answerer_rtp).signalled, endpoint("127.0.0.1:6002")) << "the reversed offer's";
}

TEST(OfferAnswer, a_reversed_offer_completes_too) {
  World world;
  world.offer("c1", "127.0.0.1:5000", "f");
  EXPECT_NE(port_in(world.offer("c1", "127.0.0.1:6000", "t", "f")), 0);
  EXPECT_TRUE(world.only_plan().complete);
  EXPECT_EQ(world.calls.totals().completed, 1U);
}

TEST(OfferAnswer, a_repeated_first_offer_does_not_complete) {
  World world;
  world.offer("c1", "127.0.0.1:5000", "f");
  world.offer("c1", "127.0.0.1:5000", "f", "t");
  EXPECT_FALSE(world.only_plan().complete);
  EXPECT_EQ(world.calls.totals().completed, 0U);
}

TEST(OfferAnswer, two_answerers_share_one_connection_and_the_last_one_names_the_leg) {
  World world;
  world.offer("c1", "127.0.0.1:5000", "f;1");
  const int port = port_in(world.answer("c1", "127.0.0.1:6000", "f;1", "early;1"));
  EXPECT_EQ(port_in(world.answer("c1", "127.0.0.1:7000", "f;1", "final;1")), port);
  const Call* call = world.calls.find("c1");
  ASSERT_EQ(call->legs().size(), 2U);
  EXPECT_EQ(call->connections().front().stream(Side::answerer).name(), "final;1");
  EXPECT_EQ(World::port(world.only_plan(), Slot::answerer_rtp).signalled, endpoint("127.0.0.1:7000"));
}

TEST(OfferAnswer, two_media_of_the_same_parties_are_streams_of_two_legs) {
  World world;
  world.offer("c1", "127.0.0.1:5000", "f;1");
  world.offer("c1", "127.0.0.1:5002", "f;2");
  EXPECT_EQ(world.calls.find("c1")->legs().size(), 2U) << "the caller, and whoever answers";
  world.answer("c1", "127.0.0.1:6000", "f;1", "t;1");
  world.answer("c1", "127.0.0.1:6002", "f;2", "t;2");
  const Call* call = world.calls.find("c1");
  ASSERT_EQ(call->legs().size(), 2U);
  EXPECT_EQ(call->legs().front().tag, "f");
  EXPECT_EQ(call->legs().back().tag, "t");
  EXPECT_EQ(call->legs().back().streams.size(), 2U);
  EXPECT_EQ(call->connections().size(), 2U);
}

TEST(OfferAnswer, rtp_and_rtcp_each_leave_from_the_like_port_of_the_other_side) {
  World world;
  world.offer("c1", "127.0.0.1:5000", "f");
  EXPECT_TRUE(World::port(world.only_plan(), Slot::answerer_rtp).egresses.empty());
  world.answer("c1", "127.0.0.1:6000", "f", "t");
  const auto& plan = world.only_plan();
  ASSERT_EQ(plan.ports.size(), flow::kSlots);
  for (const auto& port : plan.ports) {
    ASSERT_EQ(port.egresses.size(), 1U);
    EXPECT_EQ(port.egresses.front(), (flow::Egress{plan.id, flow::other_side(port.slot)}));
    EXPECT_EQ(port.latching.rtcp, flow::is_rtcp(port.slot));
    EXPECT_NE(port.counters, nullptr);
  }
  EXPECT_EQ(World::port(plan, Slot::answerer_rtcp).signalled, endpoint("127.0.0.1:6001"));
  EXPECT_EQ(World::port(plan, Slot::answerer_rtcp).local, World::port(plan, Slot::answerer_rtp).local.next_port());
}

TEST(OfferAnswer, a_null_address_holds_and_leaves_the_destination_alone) {
  World world;
  world.offer("c1", "127.0.0.1:5000", "f");
  world.answer("c1", "127.0.0.1:6000", "f", "t");
  const auto revision = World::port(world.only_plan(), Slot::offerer_rtp).signalled_revision;
  world.offer("c1", "0.0.0.0:5000", "f", "t");
  const MediaStream& offerer = world.calls.find("c1")->connections().front().stream(Side::offerer);
  EXPECT_TRUE(offerer.held);
  EXPECT_EQ(World::port(world.only_plan(), Slot::offerer_rtp).signalled, endpoint("127.0.0.1:5000"));
  EXPECT_EQ(World::port(world.only_plan(), Slot::offerer_rtp).signalled_revision, revision);
  world.offer("c1", "0.0.0.0:5000", "f", "t");
  EXPECT_EQ(offerer.hold_count, 1U) << "said twice, held once";
  world.offer("c1", "127.0.0.1:5000", "f", "t");
  EXPECT_FALSE(offerer.held);
  world.offer("c1", "[::]:5000", "f", "t");
  EXPECT_EQ(offerer.hold_count, 2U);
}

TEST(OfferAnswer, the_same_address_said_again_grows_the_revision) {
  World world;
  world.offer("c1", "127.0.0.1:5000", "f");
  const auto revision = [&] { return World::port(world.only_plan(), Slot::offerer_rtp).signalled_revision; };
  world.answer("c1", "", "f", "t");
  const auto first = revision();
  EXPECT_FALSE(World::port(world.only_plan(), Slot::answerer_rtp).signalled.is_set()) << "no address was said";
  world.offer("c1", "127.0.0.1:5000", "f");
  EXPECT_EQ(revision(), first + 1);
  world.offer("c1", "", "f");
  EXPECT_EQ(revision(), first + 1);
}

TEST(OfferAnswer, each_command_sets_codecs_packet_time_and_symmetry_anew) {
  World world;
  world.offer("c1", "127.0.0.1:5000", "f", "", {.asymmetric = true, .codecs = {0, 8, 101}, .repacketize_ms = 20});
  const MediaStream& offerer = world.calls.find("c1")->connections().front().stream(Side::offerer);
  EXPECT_TRUE(offerer.asymmetric);
  EXPECT_EQ(offerer.codecs, (std::vector<std::uint8_t>{0, 8, 101}));
  EXPECT_EQ(offerer.repacketize_ms, 20);
  world.answer("c1", "127.0.0.1:6000", "f", "t", {.codecs = {0}});
  EXPECT_TRUE(World::port(world.only_plan(), Slot::offerer_rtp).latching.asymmetric) << "the answer is about the other";
  EXPECT_FALSE(World::port(world.only_plan(), Slot::answerer_rtp).latching.asymmetric);
  world.offer("c1", "127.0.0.1:5000", "f");
  EXPECT_FALSE(offerer.asymmetric);
  EXPECT_TRUE(offerer.codecs.empty());
  EXPECT_EQ(offerer.repacketize_ms, 0);
}

TEST(OfferAnswer, parties_are_asymmetric_by_setting_unless_a_command_says_no) {
  World world{{.settings = {.asymmetric = true}}};
  world.offer("c1", "127.0.0.1:5000", "f");
  world.answer("c1", "127.0.0.1:6000", "f", "t", {.asymmetric = false});
  EXPECT_TRUE(World::port(world.only_plan(), Slot::offerer_rtcp).latching.asymmetric);
  EXPECT_FALSE(World::port(world.only_plan(), Slot::answerer_rtp).latching.asymmetric);
}

TEST(OfferAnswer, new_port_renews_the_leg_of_the_reply_and_rests_the_old_pair_when_it_is_closed) {
  World world;
  const int old_port = port_in(world.offer("c1", "127.0.0.1:5000", "f"));
  const int offerer_port = port_in(world.answer("c1", "127.0.0.1:6000", "f", "t"));
  flow::CounterBlock* counters = World::port(world.only_plan(), Slot::answerer_rtp).counters;
  const int new_port = port_in(world.offer("c1", "127.0.0.1:5000", "f", "t", {.new_port = true}));
  EXPECT_NE(new_port, old_port);
  EXPECT_EQ(World::port(world.only_plan(), Slot::answerer_rtp).local.port.value(), new_port);
  EXPECT_EQ(World::port(world.only_plan(), Slot::offerer_rtp).local.port.value(), offerer_port);
  EXPECT_EQ(World::port(world.only_plan(), Slot::answerer_rtp).counters, counters) << "counts go on";
  EXPECT_EQ(world.pool.statistics().in_use, 3U) << "the worker has not closed it yet";
  world.deliver();
  EXPECT_EQ(world.pool.statistics().in_use, 2U);
}

TEST(OfferAnswer, new_port_twice_in_one_batch_gives_back_what_no_worker_has_seen) {
  World world;
  world.offer("c1", "127.0.0.1:5000", "f");
  const Command renew = Offer{.parties = World::parties("c1", "f", ""), .party = {.new_port = true}, .notify = {}};
  EXPECT_NE(port_in(world.calls.execute(renew, world.now)), 0);
  EXPECT_NE(port_in(world.calls.execute(renew, world.now)), 0);
  EXPECT_EQ(world.pool.statistics().in_use, 2U) << "the one in use and the newest";
  world.calls.flush();
  world.deliver();
  EXPECT_EQ(world.pool.statistics().in_use, 1U);
}

TEST(OfferAnswer, without_a_free_pair_a_new_connection_leaves_nothing_behind) {
  World world{{.interfaces = {testing::interface("127.0.0.1", "", {10000, 10002})}}};
  world.offer("c1", "127.0.0.1:5000", "f");
  world.answer("c1", "127.0.0.1:6000", "f", "t");
  EXPECT_EQ(error_in(world.offer("c2", "127.0.0.1:5000", "f")), Error::no_port_for_new);
  EXPECT_EQ(world.calls.find("c2"), nullptr);
  EXPECT_EQ(error_in(world.offer("c1", "127.0.0.1:5000", "f;2")), Error::no_port_for_new);
  EXPECT_EQ(world.calls.find("c1")->connections().size(), 1U);
  EXPECT_EQ(world.calls.find("c1")->legs().size(), 2U);
  EXPECT_EQ(world.counters.in_use(), 4U);
  EXPECT_EQ(world.calls.totals().created, 1U);
}

TEST(OfferAnswer, without_a_free_pair_for_a_leg_all_stays_as_before) {
  World world{{.interfaces = {testing::interface("127.0.0.1", "", {10000, 10000})}}};
  const int port = port_in(world.offer("c1", "127.0.0.1:5000", "f"));
  EXPECT_EQ(error_in(world.answer("c1", "127.0.0.1:6000", "f", "t")), Error::no_port_for_leg);
  EXPECT_EQ(error_in(world.offer("c1", "127.0.0.1:5002", "f", "", {.codecs = {9}, .new_port = true})),
            Error::no_port_for_leg);
  const Connection& connection = world.calls.find("c1")->connections().front();
  EXPECT_FALSE(connection.complete());
  EXPECT_TRUE(connection.stream(Side::answerer).leg->tag.empty());
  EXPECT_TRUE(connection.stream(Side::offerer).codecs.empty());
  EXPECT_EQ(connection.stream(Side::offerer).signalled, endpoint("127.0.0.1:5000"));
  EXPECT_EQ(port_in(world.offer("c1", "127.0.0.1:5000", "f")), port);
}

TEST(OfferAnswer, refused_new_connections_name_the_reason) {
  World world{{.settings = {.max_connections = 1}}};
  world.offer("c1", "127.0.0.1:5000", "f");
  EXPECT_EQ(error_in(world.offer("c2", "127.0.0.1:5000", "f")), Error::limit_reached);
  world.settings.max_connections = 0;
  world.forwarder.accepting = false;
  EXPECT_EQ(error_in(world.offer("c2", "127.0.0.1:5000", "f")), Error::busy);
  EXPECT_NE(port_in(world.answer("c1", "127.0.0.1:6000", "f", "t")), 0) << "what exists goes on";
  world.forwarder.accepting = true;
  world.calls.drain();
  EXPECT_EQ(error_in(world.offer("c2", "127.0.0.1:5000", "f")), Error::draining);
  EXPECT_NE(port_in(world.offer("c1", "127.0.0.1:5000", "f")), 0);
}

TEST(OfferAnswer, names_longer_than_the_limit_are_refused) {
  World world;
  const std::string longest(kMaxName, 'x');
  const std::string too_long(kMaxName + 1, 'x');
  EXPECT_NE(port_in(world.offer(longest, "127.0.0.1:5000", longest, longest)), 0);
  EXPECT_EQ(error_in(world.offer(too_long, "127.0.0.1:5000", "f")), Error::limit_reached);
  EXPECT_EQ(error_in(world.offer("c", "127.0.0.1:5000", too_long)), Error::limit_reached);
  EXPECT_EQ(error_in(world.offer("c", "127.0.0.1:5000", "f", too_long)), Error::limit_reached);
  EXPECT_EQ(error_in(world.answer(longest, "127.0.0.1:5000", longest, too_long)), Error::limit_reached);
  const Notify notify{.target = too_long, .tag = "t"};
  EXPECT_EQ(error_in(world.run(Offer{.parties = World::parties("c", "f", ""), .party = {}, .notify = notify})),
            Error::limit_reached);
}

TEST(OfferAnswer, one_batch_of_commands_makes_one_plan) {
  World world;
  const auto execute = [&](const Command& command) { return world.calls.execute(command, world.now); };
  EXPECT_NE(port_in(execute(Offer{.parties = World::parties("c1", "f", ""), .party = {}, .notify = {}})), 0);
  EXPECT_NE(port_in(execute(Answer{.parties = World::parties("c1", "f", "t"), .party = {}})), 0);
  EXPECT_TRUE(world.forwarder.installed.empty());
  world.calls.flush();
  EXPECT_EQ(world.forwarder.installed.size(), 1U);
  world.calls.flush();
  EXPECT_EQ(world.forwarder.installed.size(), 1U);
}

}  // namespace
}  // namespace millrace::session
