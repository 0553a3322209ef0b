#pragma once
// Says how many packets should have left by now. Pure arithmetic on the time it is given.
//
// Packets leave in ticks, as the interrupts of a network card hand them to a host; tick 0 means one by one. A
// generator that was held up by the machine catches up at once when it is late by kMaxLag or less; beyond that the
// schedule moves, because a burst of the lost time would be a load that no network sends. slipped() tells the sum, and
// the report shows it.

#include <chrono>
#include <cstdint>

#include "base/time.hpp"

namespace millrace::mrload {

class Pacer {
 public:
  static constexpr std::chrono::milliseconds kMaxLag{5};

  Pacer(TimePoint start, double per_second, Nanoseconds tick);

  // Packets that are due and were not sent yet.
  [[nodiscard]] std::uint64_t due(TimePoint now);
  void sent(std::uint64_t count) { sent_ += count; }
  // When due() gets its next packet.
  [[nodiscard]] TimePoint next() const;
  [[nodiscard]] Nanoseconds slipped() const { return slipped_; }

 private:
  TimePoint start_;
  double interval_ns_;
  Nanoseconds tick_;
  std::uint64_t sent_ = 0;
  Nanoseconds slipped_{0};
};

}  // namespace millrace::mrload
