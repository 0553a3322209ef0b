#include "mrload/pacer.hpp"

#include <gtest/gtest.h>

namespace millrace::mrload {
namespace {

using namespace std::chrono_literals;

TimePoint at(Nanoseconds time) { return TimePoint{100s + time}; }

TEST(Pacer, spreads_packets_evenly) {
  Pacer pacer{at(0ns), 1'000, 0ns};
  EXPECT_EQ(pacer.due(at(-1ns)), 0u);
  EXPECT_EQ(pacer.due(at(0ns)), 1u);
  pacer.sent(1);
  EXPECT_EQ(pacer.due(at(999us)), 0u);
  EXPECT_EQ(pacer.next(), at(1ms));
  EXPECT_EQ(pacer.due(at(1ms)), 1u);
  EXPECT_EQ(pacer.due(at(3ms)), 3u);
}

TEST(Pacer, holds_packets_until_the_tick) {
  Pacer pacer{at(0ns), 100'000, 100us};
  EXPECT_EQ(pacer.due(at(0ns)), 1u);
  pacer.sent(1);
  EXPECT_EQ(pacer.due(at(99us)), 0u);
  EXPECT_EQ(pacer.next(), at(100us));
  EXPECT_EQ(pacer.due(at(100us)), 10u);
}

TEST(Pacer, catches_up_a_short_delay_and_owns_up_to_a_long_one) {
  Pacer pacer{at(0ns), 1'000, 0ns};
  EXPECT_EQ(pacer.due(at(5ms)), 6u);
  EXPECT_EQ(pacer.slipped(), 0ns);
  EXPECT_EQ(pacer.due(at(25ms)), 6u);   // five late ones and one now, not twenty-six
  EXPECT_EQ(pacer.slipped(), 20ms);
  pacer.sent(6);
  EXPECT_EQ(pacer.next(), at(26ms));
}

TEST(Pacer, keeps_its_rate_over_a_day) {
  Pacer pacer{at(0ns), 250'000, 0ns};
  constexpr std::uint64_t kDay = 86'400ull * 250'000;
  pacer.sent(kDay);
  EXPECT_EQ(pacer.due(at(24h + 1ms)), 251u);
}

}  // namespace
}  // namespace millrace::mrload
