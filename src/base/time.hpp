#pragma once
// Two clocks, two types. Durations and deadlines are on the monotonic one; what people read and what the kernel
// stamps on packets (SO_TIMESTAMPNS is CLOCK_REALTIME) is on the wall one. Code below app/ takes a Now and never
// asks a clock, so a test lives a year of call time in a millisecond.

#include <chrono>
#include <string>

namespace millrace {

using Nanoseconds = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Nanoseconds>;  // monotonic
using WallTime = std::chrono::time_point<std::chrono::system_clock, Nanoseconds>;   // since 1970, UTC

struct Now {
  TimePoint mono;
  WallTime wall;
};

Now read_clocks();

// "10:02:11.120", UTC: how an endpoint history shows a moment.
std::string clock_text(WallTime time);

}  // namespace millrace
