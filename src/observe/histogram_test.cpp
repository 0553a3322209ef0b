#include "observe/histogram.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace millrace::observe {
namespace {

using namespace std::chrono_literals;

TEST(LatencyHistogram, buckets_join_without_gap_and_are_a_sixteenth_wide_at_most) {
  EXPECT_EQ(latency::bucket_of(0), 0u);
  EXPECT_EQ(latency::bucket_of(static_cast<std::uint64_t>(Nanoseconds{kMostLatency}.count())), 429u);
  for (std::size_t bucket = 0; bucket + 1 < latency::kBuckets; ++bucket) {
    const auto highest = latency::highest_of(bucket);
    EXPECT_EQ(latency::bucket_of(highest), bucket);
    EXPECT_EQ(latency::bucket_of(highest + 1), bucket + 1);
    EXPECT_LE(latency::highest_of(bucket + 1) - highest, std::max<std::uint64_t>(1, highest / 15));
  }
}

TEST(LatencyHistogram, percentiles_are_within_a_sixteenth) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 10'000; ++i) histogram.record(i * 1us);
  const auto reading = histogram.snapshot();
  EXPECT_EQ(reading.samples, 10'000u);
  for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const double exact = share * 1e7;
    const auto said = static_cast<double>(reading.percentile(share).count());
    EXPECT_GE(said, exact) << share;
    EXPECT_LE(said, exact * 17 / 16) << share;
  }
  EXPECT_EQ(reading.percentile(1), 10ms);
  EXPECT_EQ(reading.longest, 10ms);
  EXPECT_EQ(reading.mean(), 5'000'500ns);
}

TEST(LatencyHistogram, what_a_stepped_clock_says_is_counted_apart) {
  LatencyHistogram histogram;
  for (const auto latency : {Nanoseconds{-1}, Nanoseconds{1s} + 1ns, Nanoseconds{-100h}, Nanoseconds{1s}, 0ns}) {
    histogram.record(latency);
  }
  EXPECT_EQ(histogram.snapshot().discarded, 3u);
  EXPECT_EQ(histogram.snapshot().samples, 2u);
  EXPECT_EQ(histogram.snapshot().longest, 1s);
}

TEST(LatencyHistogram, is_zero_when_empty_and_sums_with_others) {
  LatencySnapshot all;
  EXPECT_EQ(all.percentile(0.99), 0ns);
  EXPECT_EQ(all.mean(), 0ns);
  LatencyHistogram one, two;
  one.record(10ns);
  two.record(20ns);
  two.record(-1ns);
  all.add(one.snapshot());
  all.add(two.snapshot());
  EXPECT_EQ(all.samples, 2u);
  EXPECT_EQ(all.discarded, 1u);
  EXPECT_EQ(all.mean(), 15ns);
  EXPECT_EQ(all.percentile(0.5), 10ns);
  EXPECT_EQ(all.longest, 20ns);
}

TEST(LatencyHistogram, is_read_while_it_is_written) {
  LatencyHistogram histogram;
  std::jthread writer{[&histogram] {
    for (int i = 0; i < 20'000; ++i) histogram.record(Nanoseconds{i});
  }};
  std::uint64_t before = 0;
  while (before < 20'000) {
    const auto now = histogram.snapshot().samples;
    ASSERT_GE(now, before);
    before = now;
  }
}

}  // namespace
}  // namespace millrace::observe
