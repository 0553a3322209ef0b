#pragma once
// How long things took: a histogram of fixed size whose buckets grow with the value, 16 to each doubling, so that a
// percentile is off by at most 1/16. One thread records, any thread reads.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace millrace::observe {

// What a clock that was stepped would say: such samples are counted apart.
inline constexpr Nanoseconds kMostLatency = std::chrono::seconds{1};

namespace latency {
inline constexpr std::size_t kPerDoubling = 16;
// Values below 16 ns have a bucket each.
std::size_t bucket_of(std::uint64_t nanoseconds);
std::uint64_t highest_of(std::size_t bucket);
inline constexpr std::size_t kBuckets = 27 * kPerDoubling;  // 1 s has 30 bits
}  // namespace latency

// A reading, or the sum of several.
struct LatencySnapshot {
  std::array<std::uint64_t, latency::kBuckets> counts{};
  std::uint64_t samples = 0, discarded = 0;
  Nanoseconds sum{0}, longest{0};

  void add(const LatencySnapshot& other);
  // The value that `share` (0 to 1) of the samples do not exceed; 0 without samples.
  [[nodiscard]] Nanoseconds percentile(double share) const;
  [[nodiscard]] Nanoseconds mean() const;
};

class LatencyHistogram {
 public:
  // The recording thread.
  void record(Nanoseconds latency);
  // Any thread. Samples that arrive meanwhile may be in or not.
  [[nodiscard]] LatencySnapshot snapshot() const;

 private:
  using Cell = std::atomic<std::uint64_t>;
  // One writer: a load and a store, no locked instruction.
  static void bump(Cell& cell, std::uint64_t by = 1) {
    cell.store(cell.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  std::array<Cell, latency::kBuckets> counts_{};
  Cell discarded_{0}, sum_{0}, longest_{0};
};

}  // namespace millrace::observe
