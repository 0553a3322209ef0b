#pragma once
// How an arrival is counted, whatever it arrived on. Inside CounterBlock::begin() and end().

#include "base/time.hpp"
#include "flow/counters.hpp"

namespace millrace::dataplane {

// A kernel stamp further back than this, or ahead of us, means that CLOCK_REALTIME was stepped in between.
inline constexpr Nanoseconds kLatencyBelieved = std::chrono::seconds{1};

inline void count_arrival(flow::CounterBlock& counters, std::size_t bytes, Now at) {
  using flow::Count;
  const auto wall = static_cast<std::uint64_t>(at.wall.time_since_epoch().count());
  const auto mono = static_cast<std::uint64_t>(at.mono.time_since_epoch().count());
  const std::uint64_t last = counters.get(Count::last_in_mono_ns);
  counters.add(Count::packets_in);
  counters.add(Count::bytes_in, bytes);
  if (counters.get(Count::first_in_wall_ns) == 0) counters.set(Count::first_in_wall_ns, wall);
  counters.set(Count::last_in_wall_ns, wall);
  counters.set(Count::last_in_mono_ns, mono);
  if (last != 0 && mono > last && mono - last > counters.get(Count::longest_gap_ns)) {
    counters.set(Count::longest_gap_ns, mono - last);
  }
}

}  // namespace millrace::dataplane
