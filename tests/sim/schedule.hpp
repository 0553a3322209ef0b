#pragma once
// The virtual clock: what is to happen, in order of time, and among equals in order of arrangement.

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "base/time.hpp"

namespace millrace::sim {

class Schedule {
 public:
  using Action = std::function<void()>;

  [[nodiscard]] Now now() const { return now_; }

  void after(Nanoseconds delay, Action action) {
    events_.push({.at = now_.mono + delay, .serial = ++serial_, .action = std::move(action)});
  }

  void run_for(Nanoseconds time) {
    const TimePoint end = now_.mono + time;
    while (!events_.empty() && events_.top().at <= end) {
      Event event = events_.top();
      events_.pop();
      move_to(event.at);
      event.action();
    }
    move_to(end);
  }

 private:
  struct Event {
    TimePoint at;
    std::uint64_t serial = 0;
    Action action;
    friend bool operator<(const Event& a, const Event& b) {  // the top of a priority queue is its greatest
      return a.at != b.at ? a.at > b.at : a.serial > b.serial;
    }
  };

  void move_to(TimePoint at) {
    now_.wall += at - now_.mono;
    now_.mono = at;
  }

  Now now_{.mono = TimePoint{std::chrono::hours{1}}, .wall = WallTime{std::chrono::hours{480'000}}};
  std::priority_queue<Event> events_;
  std::uint64_t serial_ = 0;
};

}  // namespace millrace::sim
