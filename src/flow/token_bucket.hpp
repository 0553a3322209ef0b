#pragma once
// Limits of what may pass in a time. Pure: takes amounts and the time, allocates nothing. Whole numbers throughout: a
// bucket that runs for a year gives exactly its rate.
//
// Kept as a moment instead of a level: each unit moves `busy_until_` on by 1/rate, and what would move it further
// ahead of now than the burst does not fit. Remainders of the division are carried along.

#include <chrono>
#include <cstdint>

#include "base/time.hpp"
#include "flow/plan.hpp"

namespace millrace::flow {

class TokenBucket {
 public:
  // `per_second` 0: everything fits. What was used before stays used; of a new rate no more than its burst is, else a
  // rate that was far too low would block long after it was raised.
  void set(std::uint64_t per_second, Nanoseconds burst, TimePoint now);

  [[nodiscard]] bool is_set() const { return per_second_ != 0; }
  [[nodiscard]] std::uint64_t per_second() const { return per_second_; }
  // A full bucket lets pass one thing of any size, and is in debt afterwards: else nothing larger than the burst ever
  // passed.
  [[nodiscard]] bool fits(std::uint64_t amount, TimePoint now) const;
  void take(std::uint64_t amount, TimePoint now);

  // For what is slowed down instead of refused: how much fits now, and when `amount` (at most the burst) does.
  [[nodiscard]] std::uint64_t available(TimePoint now) const;
  [[nodiscard]] TimePoint when(std::uint64_t amount, TimePoint now) const;

 private:
  [[nodiscard]] Nanoseconds cost(std::uint64_t amount) const;  // rounded down, without what is carried along

  std::uint64_t per_second_ = 0;
  Nanoseconds burst_{};
  TimePoint busy_until_{};
  std::uint64_t remainder_ = 0;  // of busy_until_, in 1/per_second_ ns
};

// What one side of a connection may send, RTP and RTCP together.
class RateMeter {
 public:
  void set(const RateLimit& limit, TimePoint now);
  // False: above the limit, and nothing was taken.
  [[nodiscard]] bool admit(std::size_t bytes, TimePoint now);
  [[nodiscard]] TokenBucket& bits() { return bits_; }

 private:
  TokenBucket packets_, bits_;
};

}  // namespace millrace::flow
