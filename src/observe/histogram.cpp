#include "observe/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace millrace::observe {
namespace latency {

std::size_t bucket_of(std::uint64_t nanoseconds) {
  if (nanoseconds < kPerDoubling) return nanoseconds;
  const auto shift = static_cast<std::size_t>(std::bit_width(nanoseconds)) - std::bit_width(kPerDoubling);
  return shift * kPerDoubling + (nanoseconds >> shift);
}

std::uint64_t highest_of(std::size_t bucket) {
  if (bucket < kPerDoubling) return bucket;
  const auto shift = bucket / kPerDoubling - 1;
  return ((kPerDoubling + bucket % kPerDoubling + 1) << shift) - 1;
}

}  // namespace latency

void LatencySnapshot::add(const LatencySnapshot& other) {
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
  samples += other.samples;
  discarded += other.discarded;
  sum += other.sum;
  longest = std::max(longest, other.longest);
}

Nanoseconds LatencySnapshot::percentile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(samples)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) {
    seen += counts[bucket];
    if (seen != 0 && seen >= wanted) {
      return std::min(Nanoseconds{static_cast<std::int64_t>(latency::highest_of(bucket))}, longest);
    }
  }
  return Nanoseconds::zero();
}

Nanoseconds LatencySnapshot::mean() const {
  return samples == 0 ? Nanoseconds::zero() : sum / static_cast<std::int64_t>(samples);
}

void LatencyHistogram::record(Nanoseconds latency) {
  if (latency < Nanoseconds::zero() || latency > kMostLatency) return bump(discarded_);
  const auto value = static_cast<std::uint64_t>(latency.count());
  bump(counts_[latency::bucket_of(value)]);
  bump(sum_, value);
  if (value > longest_.load(std::memory_order_relaxed)) longest_.store(value, std::memory_order_relaxed);
}

LatencySnapshot LatencyHistogram::snapshot() const {
  LatencySnapshot reading;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    reading.counts[i] = counts_[i].load(std::memory_order_relaxed);
    reading.samples += reading.counts[i];
  }
  reading.discarded = discarded_.load(std::memory_order_relaxed);
  reading.sum = Nanoseconds{static_cast<std::int64_t>(sum_.load(std::memory_order_relaxed))};
  reading.longest = Nanoseconds{static_cast<std::int64_t>(longest_.load(std::memory_order_relaxed))};
  return reading;
}

}  // namespace millrace::observe
