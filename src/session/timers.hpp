#pragma once
// How long a connection may stay silent. Counted in ticks of one second: a tick that finds nothing left ends the
// connection, otherwise one second less is left; so the end comes between TTL and TTL + 1 seconds after the last
// reset. Normally both parties share one timer; with `timer_per_party` each has its own and either one ends the
// connection. Sans-I/O: does not know clocks or packets, is told of both.

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>

#include "session/settings.hpp"
#include "session/side.hpp"

namespace millrace::session {

// Which parties sent something that was accepted since the last tick.
struct Activity {
  bool offerer = false;
  bool answerer = false;
};

class Timers {
 public:
  // As a TTL: a party may be silent for as long as it likes.
  static constexpr std::chrono::seconds kNever{std::numeric_limits<std::uint32_t>::max()};

  // Starts with the set-up TTL.
  explicit Timers(const Settings& settings);

  // Both legs have ports now: from the set-up TTL to the idle one.
  void complete();
  // A command succeeded.
  void restart();
  // The idle TTL of this connection from now on; does not touch the set-up TTL.
  void set_idle(std::chrono::seconds ttl);
  // The TTL at once and for resets; of one party only when parties have timers of their own.
  void adjust(Side side, std::chrono::seconds ttl);
  // While a leg of a complete connection is on hold the held-leg TTL counts, when there is one.
  void set_held(bool held);

  // True: the time is over.
  [[nodiscard]] bool tick(Activity since_last_tick);
  // What set_idle() or adjust() said last, or the configured one; of two timers the smaller one.
  [[nodiscard]] std::chrono::seconds idle() const;
  // The smaller of both parties; kNever when neither one counts.
  [[nodiscard]] std::chrono::seconds remaining(Activity since_last_tick) const;
  // The held-leg TTL is the one that counts.
  [[nodiscard]] bool counts_held() const { return held_ && complete_ && held_limit_ != 0; }

 private:
  struct Timer {  // seconds
    std::uint32_t idle = 0;       // the limit once complete
    std::uint32_t limit = 0;      // what a reset puts into `remaining`, hold aside
    std::uint32_t remaining = 0;
  };
  [[nodiscard]] std::uint32_t limit_of(const Timer& timer) const;
  [[nodiscard]] bool active(Side side, Activity activity) const;

  std::array<Timer, 2> timers_;  // by Side; a shared timer is two that are always equal
  std::uint32_t held_limit_ = 0;
  bool per_party_ = false;
  bool complete_ = false;
  bool held_ = false;
};

}  // namespace millrace::session
