#pragma once
// Interarrival jitter, RFC 3550 §6.4.1 and A.8: J += (|D| - J) / 16, where D is how much the spacing of two packets
// at arrival differs from their spacing in media time. In ticks of the media clock. Pure: the kernel's receive stamp
// comes in as an argument.

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace millrace::rtp {

class Jitter {
 public:
  // A difference beyond this is no queue in which people could still talk, but a hold, a stepped clock or a sender
  // that set its timestamps anew. Measuring goes on from there instead of carrying a spike for minutes.
  static constexpr std::chrono::seconds kMaxDifference{5};

  void update(std::uint32_t timestamp, std::uint32_t rate_hz, WallTime arrival);
  // The next packet has no predecessor: another run of numbers.
  void restart() { previous_.reset(); }
  // Another source: its estimate begins at 0; maximum and average go on.
  void restart_source() {
    restart();
    last_ = 0;
  }

  [[nodiscard]] double last() const { return last_; }
  [[nodiscard]] double max() const { return max_; }
  [[nodiscard]] double average() const { return samples_ == 0 ? 0 : sum_ / static_cast<double>(samples_); }

 private:
  struct Previous {
    WallTime arrival;
    std::uint32_t timestamp = 0;
    std::uint32_t rate_hz = 0;
  };
  std::optional<Previous> previous_;
  double last_ = 0;
  double max_ = 0;
  double sum_ = 0;  // of the estimate after each packet
  std::uint64_t samples_ = 0;
};

}  // namespace millrace::rtp
