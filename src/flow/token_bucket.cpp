#include "flow/token_bucket.hpp"

#include <algorithm>

namespace millrace::flow {
namespace {

// A rate may be any 64-bit number, and so its product with nanoseconds needs more than that.
__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr Nanoseconds kLongest = std::chrono::hours{1};  // that one thing may keep the bucket in debt

}  // namespace

void TokenBucket::set(std::uint64_t per_second, Nanoseconds burst, TimePoint now) {
  if (per_second != per_second_) {
    remainder_ = 0;
    busy_until_ = std::min(busy_until_, now + burst);
  }
  per_second_ = per_second;
  burst_ = burst;
}

Nanoseconds TokenBucket::cost(std::uint64_t amount) const {
  const Wide whole = Wide{amount} * kNanosecondsPerSecond / per_second_;
  const Wide longest = static_cast<std::uint64_t>(kLongest.count());
  return Nanoseconds{static_cast<std::int64_t>(std::min(whole, longest))};
}

bool TokenBucket::fits(std::uint64_t amount, TimePoint now) const {
  if (per_second_ == 0 || busy_until_ <= now) return true;
  return busy_until_ - now + cost(amount) <= burst_;
}

void TokenBucket::take(std::uint64_t amount, TimePoint now) {
  if (per_second_ == 0) return;
  if (busy_until_ < now) {
    busy_until_ = now;
    remainder_ = 0;
  }
  const Nanoseconds whole = cost(amount);
  busy_until_ += whole;
  if (whole == kLongest) return;
  remainder_ += static_cast<std::uint64_t>(Wide{amount} * kNanosecondsPerSecond % per_second_);
  if (remainder_ < per_second_) return;
  remainder_ -= per_second_;
  busy_until_ += Nanoseconds{1};
}

std::uint64_t TokenBucket::available(TimePoint now) const {
  if (per_second_ == 0) return ~std::uint64_t{0};
  const Nanoseconds used = std::max(busy_until_ - now, Nanoseconds{0});
  if (used >= burst_) return 0;
  const Wide amount = Wide{static_cast<std::uint64_t>((burst_ - used).count())} * per_second_ / kNanosecondsPerSecond;
  return static_cast<std::uint64_t>(std::min(amount, Wide{~std::uint64_t{0}}));
}

TimePoint TokenBucket::when(std::uint64_t amount, TimePoint now) const {
  if (per_second_ == 0) return now;
  // One more: the cost is rounded down, and who comes back a nanosecond early would find one unit too few.
  const Nanoseconds wanted = std::min(cost(amount) + Nanoseconds{1}, burst_);
  return std::max(now, busy_until_ - (burst_ - wanted));
}

void RateMeter::set(const RateLimit& limit, TimePoint now) {
  packets_.set(limit.packets_per_second, limit.burst, now);
  bits_.set(limit.bits_per_second, limit.burst, now);
}

bool RateMeter::admit(std::size_t bytes, TimePoint now) {
  const std::uint64_t bits = 8 * static_cast<std::uint64_t>(bytes);
  if (!packets_.fits(1, now) || !bits_.fits(bits, now)) return false;
  packets_.take(1, now);
  bits_.take(bits, now);
  return true;
}

}  // namespace millrace::flow
