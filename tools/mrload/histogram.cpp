#include "mrload/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace millrace::mrload {
namespace {

constexpr unsigned kSubBits = 6;                               // 64 buckets a power of two
constexpr std::uint64_t kSub = std::uint64_t{1} << kSubBits;
constexpr std::size_t kBuckets = (64 - kSubBits) * kSub;

// Below 64 a value is its own bucket; above, the leading 7 bits choose it.
std::size_t bucket_of(std::uint64_t value) {
  if (value < kSub) return value;
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - kSubBits - 1;
  return shift * kSub + (value >> shift);
}

std::uint64_t upper_edge(std::size_t bucket) {
  if (bucket < 2 * kSub) return bucket;
  const auto shift = bucket / kSub - 1;
  return ((bucket - shift * kSub + 1) << shift) - 1;
}

}  // namespace

Histogram::Histogram() : buckets_(kBuckets) {}

void Histogram::add(std::chrono::nanoseconds value) {
  const auto sample = std::max<std::int64_t>(value.count(), 0);
  ++buckets_[bucket_of(static_cast<std::uint64_t>(sample))];
  ++count_;
  max_ = std::max(max_, sample);
}

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

std::chrono::nanoseconds Histogram::percentile(double fraction) const {
  if (count_ == 0) return std::chrono::nanoseconds{0};
  const auto wanted = static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= std::max<std::uint64_t>(wanted, 1)) {
      return std::chrono::nanoseconds{std::min(static_cast<std::int64_t>(upper_edge(i)), max_)};
    }
  }
  return max();
}

}  // namespace millrace::mrload
