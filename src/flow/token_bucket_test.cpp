#include "flow/token_bucket.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace millrace::flow {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TimePoint at(Nanoseconds since) { return TimePoint{std::chrono::hours{5} + since}; }

std::uint64_t taken_at_once(TokenBucket& bucket, std::uint64_t amount, TimePoint now, std::uint64_t at_most) {
  std::uint64_t count = 0;
  while (count < at_most && bucket.fits(amount, now)) {
    bucket.take(amount, now);
    ++count;
  }
  return count;
}

TEST(TokenBucket, without_a_rate_lets_everything_pass) {
  TokenBucket bucket;
  EXPECT_FALSE(bucket.is_set());
  EXPECT_EQ(taken_at_once(bucket, 1'000'000, at(seconds{0}), 1000), 1000u);
  EXPECT_EQ(bucket.available(at(seconds{0})), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(bucket.when(1'000'000, at(seconds{0})), at(seconds{0}));
}

struct BurstCase {
  std::string_view name;
  std::uint64_t per_second;
  Nanoseconds burst;
  std::uint64_t amount, at_once, each_second_after;
};

TEST(TokenBucket, gives_its_burst_at_once_and_then_its_rate) {
  constexpr std::array kCases{
      BurstCase{"a second's worth", 100, seconds{1}, 1, 100, 100},
      BurstCase{"a fifth of a second's worth", 100, milliseconds{200}, 1, 20, 20},
      BurstCase{"a rate that divides nothing", 7, seconds{1}, 1, 7, 7},
      BurstCase{"units of many bits", 64'000, seconds{1}, 1600, 40, 40},
      BurstCase{"what is larger than the burst passes one by one", 1000, milliseconds{10}, 800, 1, 1},
      BurstCase{"and may take longer than a second to earn", 1000, milliseconds{10}, 1600, 1, 0},
  };
  for (const BurstCase& c : kCases) {
    TokenBucket bucket;
    bucket.set(c.per_second, c.burst, at(seconds{0}));
    EXPECT_EQ(taken_at_once(bucket, c.amount, at(seconds{0}), 10'000), c.at_once) << c.name;
    EXPECT_EQ(taken_at_once(bucket, c.amount, at(seconds{0}), 10'000), 0u) << c.name;
    EXPECT_EQ(taken_at_once(bucket, c.amount, at(seconds{1}), 10'000), c.each_second_after) << c.name;
  }
}

TEST(TokenBucket, drifts_by_nothing_in_an_hour) {
  for (const std::uint64_t rate : {3u, 7u, 999u}) {
    TokenBucket bucket;
    bucket.set(rate, milliseconds{1100}, at(seconds{0}));
    std::uint64_t passed = 0;
    constexpr std::uint64_t kSeconds = 3600;
    for (std::uint64_t second = 0; second < kSeconds; ++second) {
      passed += taken_at_once(bucket, 1, at(seconds{second}), 10'000);
    }
    const std::uint64_t burst = rate * 1100 / 1000;
    EXPECT_EQ(passed, burst + rate * (kSeconds - 1)) << rate;
  }
}

TEST(TokenBucket, says_how_much_fits_and_when_more_does) {
  TokenBucket bucket;
  bucket.set(8000, milliseconds{500}, at(seconds{0}));
  EXPECT_EQ(bucket.available(at(seconds{0})), 4000u);
  bucket.take(3000, at(seconds{0}));
  EXPECT_EQ(bucket.available(at(seconds{0})), 1000u);
  bucket.take(1000, at(seconds{0}));
  EXPECT_EQ(bucket.available(at(seconds{0})), 0u);
  const TimePoint later = bucket.when(800, at(seconds{0}));
  EXPECT_GE(bucket.available(later), 800u);
  EXPECT_LT(later, at(milliseconds{101}));
  EXPECT_GT(later, at(milliseconds{99}));
  // More than the burst: as soon as the bucket is full.
  EXPECT_EQ(bucket.when(1'000'000, at(seconds{0})), at(milliseconds{500}));
  EXPECT_EQ(bucket.available(at(seconds{9})), 4000u);
}

TEST(TokenBucket, stays_within_its_numbers_at_the_ends_of_what_can_be_set) {
  constexpr auto kHuge = std::numeric_limits<std::uint64_t>::max();
  TokenBucket fast, slow;
  fast.set(kHuge, seconds{60}, at(seconds{0}));
  fast.take(kHuge, at(seconds{0}));
  EXPECT_TRUE(fast.fits(kHuge, at(seconds{0})));
  EXPECT_EQ(fast.available(at(seconds{0})), kHuge);
  slow.set(1, milliseconds{10}, at(seconds{0}));
  slow.take(kHuge, at(seconds{0}));
  EXPECT_FALSE(slow.fits(1, at(seconds{3599}))) << "an hour of debt at the most";
  EXPECT_TRUE(slow.fits(1, at(seconds{3600})));
}

TEST(TokenBucket, a_new_rate_forgives_nothing) {
  TokenBucket bucket;
  bucket.set(10, seconds{1}, at(seconds{0}));
  EXPECT_EQ(taken_at_once(bucket, 1, at(seconds{0}), 100), 10u);
  bucket.set(20, seconds{1}, at(seconds{0}));
  EXPECT_EQ(taken_at_once(bucket, 1, at(seconds{0}), 100), 0u);
  EXPECT_EQ(taken_at_once(bucket, 1, at(milliseconds{500}), 100), 10u);
}

TEST(TokenBucket, a_rate_that_is_raised_is_not_paid_for_what_the_low_one_owed) {
  TokenBucket bucket;
  bucket.set(1, milliseconds{500}, at(seconds{0}));
  bucket.take(65'536, at(seconds{0}));
  EXPECT_FALSE(bucket.fits(1, at(seconds{3000})));
  bucket.set(1'000'000, milliseconds{500}, at(seconds{10}));
  EXPECT_FALSE(bucket.fits(1, at(seconds{10})));
  EXPECT_EQ(bucket.available(at(milliseconds{10'100})), 100'000u);
}

TEST(RateMeter, takes_nothing_for_what_it_refuses) {
  RateMeter meter;
  meter.set({.packets_per_second = 10, .bits_per_second = 8000, .burst = seconds{1}}, at(seconds{0}));
  EXPECT_TRUE(meter.admit(600, at(seconds{0})));
  EXPECT_FALSE(meter.admit(600, at(seconds{0}))) << "too many bits";
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(meter.admit(10, at(seconds{0}))) << i;
  EXPECT_FALSE(meter.admit(0, at(seconds{0}))) << "too many packets";
}

}  // namespace
}  // namespace millrace::flow
