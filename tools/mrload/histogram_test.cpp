#include "mrload/histogram.hpp"

#include <gtest/gtest.h>

#include <array>

namespace millrace::mrload {
namespace {

using std::chrono::nanoseconds;

TEST(Histogram, is_zero_without_samples) {
  const Histogram none;
  EXPECT_EQ(none.percentile(0.5), nanoseconds{0});
  EXPECT_EQ(none.max(), nanoseconds{0});
}

TEST(Histogram, keeps_small_values_exactly) {
  Histogram histogram;
  for (int i = 1; i <= 100; ++i) histogram.add(nanoseconds{i});
  EXPECT_EQ(histogram.percentile(0.5), nanoseconds{50});
  EXPECT_EQ(histogram.percentile(0.99), nanoseconds{99});
  EXPECT_EQ(histogram.percentile(1.0), nanoseconds{100});
}

TEST(Histogram, is_never_too_low_and_at_most_one_bucket_too_high) {
  constexpr std::array<std::int64_t, 9> kValues{
      63, 64, 127, 128, 129, 4'095, 1'000'003, 987'654'321, 3'600'000'000'000};
  for (const auto value : kValues) {
    Histogram histogram;
    histogram.add(nanoseconds{value});
    histogram.add(nanoseconds{value * 4});   // so that max() does not hide the bucket's edge
    const auto seen = histogram.percentile(0.5).count();
    EXPECT_GE(seen, value);
    EXPECT_LE(static_cast<double>(seen), static_cast<double>(value) * 1.016) << value;
  }
}

TEST(Histogram, finds_the_one_slow_packet_in_a_thousand) {
  Histogram histogram;
  for (int i = 0; i < 999; ++i) histogram.add(nanoseconds{1'000});
  histogram.add(nanoseconds{5'000'000});
  EXPECT_LT(histogram.percentile(0.99), nanoseconds{1'100});
  EXPECT_LT(histogram.percentile(0.999), nanoseconds{1'100});
  EXPECT_EQ(histogram.percentile(0.9999), nanoseconds{5'000'000});
  EXPECT_EQ(histogram.max(), nanoseconds{5'000'000});
}

TEST(Histogram, counts_a_negative_sample_as_zero) {
  Histogram histogram;
  histogram.add(nanoseconds{-5});
  EXPECT_EQ(histogram.count(), 1u);
  EXPECT_EQ(histogram.percentile(1.0), nanoseconds{0});
}

TEST(Histogram, merges_as_if_all_samples_had_come_to_one) {
  Histogram left, right;
  for (int i = 0; i < 10; ++i) left.add(nanoseconds{10});
  for (int i = 0; i < 30; ++i) right.add(nanoseconds{20});
  left.merge(right);
  EXPECT_EQ(left.count(), 40u);
  EXPECT_EQ(left.percentile(0.25), nanoseconds{10});
  EXPECT_EQ(left.percentile(0.26), nanoseconds{20});
}

}  // namespace
}  // namespace millrace::mrload
