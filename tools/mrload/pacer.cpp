#include "mrload/pacer.hpp"

#include <algorithm>
#include <cmath>

namespace millrace::mrload {

Pacer::Pacer(TimePoint start, double per_second, Nanoseconds tick)
    : start_{start}, interval_ns_{1e9 / per_second}, tick_{tick} {}

std::uint64_t Pacer::due(TimePoint now) {
  auto elapsed = now - start_;
  if (elapsed < Nanoseconds{0}) return 0;
  if (tick_ > Nanoseconds{0}) elapsed -= elapsed % tick_;
  const auto scheduled_at = Nanoseconds{std::llround(static_cast<double>(sent_) * interval_ns_)};
  if (const auto lag = elapsed - scheduled_at; lag > kMaxLag) {
    const auto slip = lag - kMaxLag;
    start_ += slip;
    slipped_ += slip;
    elapsed -= slip;
  }
  // Packet 0 leaves at 0, packet 1 at one interval.
  const auto should = static_cast<std::uint64_t>(static_cast<double>(elapsed.count()) / interval_ns_) + 1;
  return should > sent_ ? should - sent_ : 0;
}

TimePoint Pacer::next() const {
  auto at = Nanoseconds{static_cast<std::int64_t>(std::ceil(static_cast<double>(sent_) * interval_ns_))};
  if (tick_ > Nanoseconds{0}) at += (tick_ - at % tick_) % tick_;
  return start_ + at;
}

}  // namespace millrace::mrload
