#pragma once
// How busy the process is, from getrusage. measure() on one thread, read by any.

#include <atomic>
#include <chrono>

#include "base/time.hpp"

namespace millrace::control::grpc {

inline constexpr std::chrono::seconds kLoadInterval{1};

class LoadMeter {
 public:
  LoadMeter();
  // Once an interval; calls that come sooner change nothing.
  void measure(TimePoint now);
  [[nodiscard]] double cpu_load() const { return load_.load(std::memory_order_relaxed); }  // 1.0: one core

 private:
  TimePoint at_{};
  Nanoseconds used_{0};
  std::atomic<double> load_{0};
};

}  // namespace millrace::control::grpc
