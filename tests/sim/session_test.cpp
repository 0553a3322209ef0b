// Sessions over the virtual network: both ways, with RTCP, until nobody speaks any more.

#include <gtest/gtest.h>

#include "sim/scene.hpp"

namespace millrace::sim {
namespace {

using session::Side;
using session::View;

session::Create create(const Scene& scene, std::uint16_t listen, std::uint16_t forward) {
  return {.call_id = "call",
          .caller = {.local = {kNodeAddress, Port{listen}}},
          .callee = {.local = {kNodeAddress, Port{forward}}},
          .destination = scene.callee->signalled(),
          .options = {}};
}

TEST(Session, relays_both_ways_with_rtcp_until_it_falls_silent) {
  struct Case {
    const char* name;
    std::uint16_t listen, forward;
  };
  for (const Case& c : {Case{"chosen ports", 0, 0}, Case{"named ports", 5000, 6001}, Case{"mixed", 5001, 0}}) {
    SCOPED_TRACE(c.name);
    Scene scene{SceneOptions{}};
    const auto reply = scene.node.command(create(scene, c.listen, c.forward));
    const auto* made = std::get_if<View>(&reply);
    ASSERT_NE(made, nullptr);
    scene.caller->talk_to(made->side(Side::offerer).local);
    scene.schedule.run_for(milliseconds{100});
    EXPECT_GT(scene.callee->heard(), 0U) << "the destination is known before it speaks";
    scene.callee->talk_to(made->side(Side::answerer).local);
    scene.schedule.run_for(seconds{3});
    EXPECT_EQ(scene.destination(Side::offerer), scene.caller->seen_as());
    EXPECT_EQ(scene.node.calls().view(made->id, scene.schedule.now())->state, session::State::active);
    scene.caller->hush();
    scene.callee->hush();
    const TimePoint hushed = scene.schedule.now().mono;
    scene.schedule.run_for(milliseconds{100});
    EXPECT_EQ(scene.callee->heard(), scene.caller->sent());
    EXPECT_EQ(scene.caller->heard(), scene.callee->sent());
    EXPECT_GE(scene.callee->heard_rtcp(), 3U);
    EXPECT_GE(scene.caller->heard_rtcp(), 3U);

    scene.let_settle();
    ASSERT_EQ(scene.node.ended().size(), 1U);
    const auto& ended = scene.node.ended().front();
    EXPECT_EQ(std::get<session::ConnectionEnded>(ended.change.what).reason, session::EndReason::idle_timeout);
    EXPECT_GE(ended.at - hushed, kIdle - seconds{1});
    EXPECT_LE(ended.at - hushed, kIdle + seconds{2});
    expect_conservation(scene);
  }
}

TEST(Session, finds_its_client_behind_a_nat_over_a_bad_network) {
  for (const std::uint64_t seed : seeds(40)) {
    SCOPED_TRACE("MILLRACE_SEED=" + std::to_string(seed));
    Scene scene{{.seed = seed,
                 .quality = {.loss = 0.05, .repeat = 0.02, .jitter = milliseconds{30}},
                 .caller_behind_nat = true}};
    const auto reply = scene.node.command(create(scene, 0, 0));
    const auto* made = std::get_if<View>(&reply);
    ASSERT_NE(made, nullptr);
    scene.caller->talk_to(made->side(Side::offerer).local);
    scene.callee->talk_to(made->side(Side::answerer).local);
    scene.schedule.run_for(seconds{2});
    EXPECT_EQ(scene.destination(Side::offerer), scene.caller->seen_as());
    EXPECT_GT(scene.caller->heard(), 50U) << "of 100 packets";
    EXPECT_GT(scene.callee->heard(), 50U) << "of 100 packets";
    scene.node.command(session::End{made->id});
    scene.caller->hush();
    scene.callee->hush();
    scene.let_settle();
    expect_conservation(scene);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace millrace::sim
