#include "access/command_quota.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace millrace::access {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1000s};

int taken(CommandQuota& quota, std::string_view name, TimePoint now, int attempts) {
  int taken = 0;
  for (int i = 0; i < attempts; ++i) taken += quota.take(name, now) ? 1 : 0;
  return taken;
}

TEST(CommandQuota, a_second_s_worth_may_come_at_once_and_the_rest_at_the_rate) {
  CommandQuota quota{10};
  EXPECT_EQ(taken(quota, "ops", kStart, 50), 10);
  EXPECT_EQ(taken(quota, "ops", kStart + 99ms, 50), 0);
  EXPECT_EQ(taken(quota, "ops", kStart + 100ms, 50), 1);
  EXPECT_EQ(taken(quota, "ops", kStart + 1100ms, 50), 10);
  EXPECT_EQ(taken(quota, "ops", kStart + 1h, 50), 10) << "no more than a second's worth is kept";
}

TEST(CommandQuota, names_are_counted_apart) {
  CommandQuota quota{2};
  EXPECT_EQ(taken(quota, "a", kStart, 5), 2);
  EXPECT_EQ(taken(quota, "b", kStart, 5), 2);
}

TEST(CommandQuota, zero_is_no_limit_and_counts_nobody) {
  CommandQuota quota{0};
  EXPECT_EQ(taken(quota, "ops", kStart, 1000), 1000);
  EXPECT_EQ(quota.counted(), 0u);
}

TEST(CommandQuota, the_fastest_rate_does_not_overflow) {
  CommandQuota quota{~std::uint32_t{0}};
  EXPECT_EQ(taken(quota, "ops", kStart, 1000), 1000);
}

TEST(CommandQuota, a_clock_that_a_slower_thread_read_earlier_takes_nothing_away) {
  CommandQuota quota{2};
  EXPECT_TRUE(quota.take("ops", kStart));
  EXPECT_TRUE(quota.take("ops", kStart - 1ms) || quota.take("ops", kStart));
  EXPECT_FALSE(quota.take("ops", kStart));
}

TEST(CommandQuota, beyond_its_table_the_name_that_is_silent_for_longest_is_forgotten) {
  CommandQuota quota{1};
  for (std::size_t i = 0; i < kMaxCountedNames; ++i) EXPECT_TRUE(quota.take(std::to_string(i), kStart));
  EXPECT_FALSE(quota.take("0", kStart)) << "heard again: now 1 is the oldest";
  EXPECT_TRUE(quota.take("one more", kStart));
  EXPECT_EQ(quota.counted(), kMaxCountedNames);
  EXPECT_FALSE(quota.take("0", kStart));
  EXPECT_TRUE(quota.take("1", kStart)) << "it was forgotten";
}

}  // namespace
}  // namespace millrace::access
