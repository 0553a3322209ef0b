#pragma once
// Latency histogram with a bounded relative error: every power of two is cut into 64 equal buckets, so a percentile is
// at most 1.6 % too high, from one nanosecond to hours. Fixed size, no allocation after construction.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace millrace::mrload {

class Histogram {
 public:
  Histogram();

  void add(std::chrono::nanoseconds value);   // below zero counts as zero
  void merge(const Histogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::chrono::nanoseconds max() const { return std::chrono::nanoseconds{max_}; }
  // The value that `fraction` (0..1) of all samples do not exceed; the upper edge of its bucket, never above max().
  // Zero without samples.
  [[nodiscard]] std::chrono::nanoseconds percentile(double fraction) const;

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::int64_t max_ = 0;
};

}  // namespace millrace::mrload
