#include "session/timers.hpp"

#include <gtest/gtest.h>

namespace millrace::session {
namespace {

using std::chrono::seconds;

constexpr Activity kSilence{};

Settings settings(int setup, int idle) {
  Settings result;
  result.setup_timeout = seconds{setup};
  result.idle_timeout = seconds{idle};
  return result;
}

// How many ticks of silence it survives.
int ticks_left(Timers timers) {
  int ticks = 0;
  while (!timers.tick(kSilence)) ++ticks;
  return ticks;
}

TEST(Timers, count_the_set_up_ttl_until_both_legs_are_there) {
  Timers timers{settings(5, 60)};
  EXPECT_EQ(timers.remaining(kSilence), seconds{5});
  EXPECT_EQ(ticks_left(timers), 5);
  timers.complete();
  EXPECT_EQ(timers.remaining(kSilence), seconds{60});
  EXPECT_EQ(ticks_left(timers), 60);
}

TEST(Timers, start_again_with_packets_and_commands) {
  Timers timers{settings(60, 3)};
  timers.complete();
  EXPECT_FALSE(timers.tick(kSilence));
  EXPECT_FALSE(timers.tick(kSilence));
  EXPECT_EQ(timers.remaining(kSilence), seconds{1});
  EXPECT_EQ(timers.remaining({.answerer = true}), seconds{3}) << "packets since the last tick count at once";
  EXPECT_FALSE(timers.tick({.offerer = true}));
  EXPECT_EQ(timers.remaining(kSilence), seconds{2});
  timers.restart();
  EXPECT_EQ(timers.remaining(kSilence), seconds{3});
}

TEST(Timers, shared_by_both_parties_go_on_while_one_of_them_sends) {
  Timers timers{settings(60, 2)};
  timers.complete();
  for (int second = 0; second < 100; ++second) EXPECT_FALSE(timers.tick({.offerer = true}));
}

TEST(Timers, of_each_party_end_with_the_first_that_falls_silent) {
  Settings each = settings(60, 2);
  each.timer_per_party = true;
  Timers timers{each};
  timers.complete();
  EXPECT_FALSE(timers.tick({.offerer = true}));
  EXPECT_FALSE(timers.tick({.offerer = true}));
  EXPECT_EQ(timers.remaining({.offerer = true}), seconds{0});
  EXPECT_TRUE(timers.tick({.offerer = true}));
}

TEST(Timers, adjusted_count_at_once_and_for_every_reset) {
  Timers timers{settings(60, 60)};
  timers.adjust(Side::offerer, seconds{7});
  EXPECT_EQ(ticks_left(timers), 7);
  timers.complete();
  EXPECT_EQ(ticks_left(timers), 7) << "completion does not bring the configured one back";
  EXPECT_FALSE(timers.tick(kSilence));
  timers.restart();
  EXPECT_EQ(timers.remaining(kSilence), seconds{7});
}

TEST(Timers, adjusted_for_one_party_leave_the_others_alone) {
  Settings each = settings(60, 60);
  each.timer_per_party = true;
  Timers timers{each};
  timers.complete();
  timers.adjust(Side::answerer, seconds{7});
  EXPECT_EQ(timers.remaining(kSilence), seconds{7});
  timers.adjust(Side::answerer, seconds{90});
  EXPECT_EQ(timers.remaining(kSilence), seconds{60});
}

TEST(Timers, keep_the_set_up_ttl_when_a_command_names_an_idle_one) {
  Timers timers{settings(60, 60)};
  timers.set_idle(seconds{10});
  timers.restart();
  EXPECT_EQ(ticks_left(timers), 60);
  timers.complete();
  EXPECT_EQ(ticks_left(timers), 10);
  timers.set_idle(seconds{20});
  timers.restart();
  EXPECT_EQ(ticks_left(timers), 20);
}

TEST(Timers, count_the_held_ttl_while_a_leg_of_a_complete_connection_is_on_hold) {
  Settings held = settings(30, 60);
  held.held_timeout = seconds{3600};
  Timers timers{held};
  timers.set_held(true);
  timers.restart();
  EXPECT_FALSE(timers.counts_held()) << "nobody has answered yet";
  EXPECT_EQ(timers.remaining(kSilence), seconds{30});
  timers.complete();
  EXPECT_TRUE(timers.counts_held());
  EXPECT_EQ(timers.remaining(kSilence), seconds{3600});
  timers.set_held(false);
  timers.restart();
  EXPECT_EQ(timers.remaining(kSilence), seconds{60});
}

TEST(Timers, ignore_hold_when_no_held_ttl_is_set) {
  Timers timers{settings(30, 60)};
  timers.complete();
  timers.set_held(true);
  timers.restart();
  EXPECT_FALSE(timers.counts_held());
  EXPECT_EQ(timers.remaining(kSilence), seconds{60});
}

TEST(Timers, take_no_ttl_as_longer_than_136_years_or_shorter_than_none) {
  Timers timers{settings(60, 60)};
  timers.adjust(Side::offerer, std::chrono::seconds::max());
  EXPECT_FALSE(timers.tick(kSilence));
  timers.adjust(Side::offerer, seconds{-5});
  EXPECT_TRUE(timers.tick(kSilence));
}

TEST(Timers, may_never_be_over) {
  Timers timers{settings(30, 60)};
  timers.set_idle(Timers::kNever);
  EXPECT_EQ(timers.remaining(kSilence), seconds{30}) << "the set-up TTL counts before";
  timers.complete();
  for (int second = 0; second < 1000; ++second) EXPECT_FALSE(timers.tick(kSilence));
  EXPECT_EQ(timers.remaining(kSilence), Timers::kNever);
  EXPECT_EQ(timers.idle(), Timers::kNever);
  timers.set_idle(seconds{1});
  timers.restart();
  EXPECT_FALSE(timers.tick(kSilence));
  EXPECT_TRUE(timers.tick(kSilence));
}

}  // namespace
}  // namespace millrace::session
