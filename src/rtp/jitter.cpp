#include "rtp/jitter.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace millrace::rtp {

void Jitter::update(std::uint32_t timestamp, std::uint32_t rate_hz, WallTime arrival) {
  const auto before = std::exchange(previous_, Previous{arrival, timestamp, rate_hz});
  if (!before || before->rate_hz != rate_hz) return;  // ticks of two clocks have no difference
  const std::chrono::duration<double> spacing = arrival - before->arrival;
  const auto media_ticks = static_cast<std::int32_t>(timestamp - before->timestamp);
  const double difference = std::abs(spacing.count() * rate_hz - media_ticks);
  if (difference > static_cast<double>(kMaxDifference.count()) * rate_hz) return;
  last_ += (difference - last_) / 16;
  max_ = std::max(max_, last_);
  sum_ += last_;
  ++samples_;
}

}  // namespace millrace::rtp
