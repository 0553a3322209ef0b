#pragma once
// Numbers over the life of the process, for `G`, `I`, metrics. "Connection" is the text protocol's session. What
// ended is summed up once; what is alive is read from the counter blocks when somebody asks.

#include <cstddef>
#include <cstdint>

#include "base/time.hpp"
#include "flow/counters.hpp"
#include "session/reply.hpp"

namespace millrace::session {

struct Totals {
  std::uint64_t created = 0, destroyed = 0, timed_out = 0, completed = 0;
  std::uint64_t no_rtp = 0, one_way_rtp = 0, no_rtcp = 0, one_way_rtcp = 0;  // of completed ones that ended
  // RTP and RTCP, ended and alive. "In" is all that arrived, also what latching refused.
  std::uint64_t packets_in = 0, packets_relayed = 0, packets_discarded = 0;
  std::uint64_t rtp_expected = 0, rtp_received = 0, rtp_duplicates = 0, rtp_lost = 0, not_rtp = 0;  // ended ones
  double duration_seconds = 0;  // sum over ended ones
  double packets_in_per_second = 0;  // over the last second
  std::size_t active_connections = 0, active_calls = 0;
};

struct Connection;

// All that arrived on a port, accepted or not.
[[nodiscard]] std::uint64_t arrived(const flow::FlowCounters& counters);
[[nodiscard]] std::uint64_t arrived(const flow::CounterBlock& block);  // as of now, without waiting for the writer

class Tally {
 public:
  void on_created() { ++ended_.created; }
  void on_completed() { ++ended_.completed; }
  void on_timed_out() { ++ended_.timed_out; }
  // With the last counters of a connection.
  struct Life {
    bool complete = false;
    bool rtcp = false;  // both sides had a port for it
    Nanoseconds lived{0};
  };
  void on_ended(const ConnectionCounters& last, const Life& life);

  // Once a sweep, after everything that is alive was added up.
  void on_sweep(std::uint64_t alive_packets_in, TimePoint now);
  // The sums with what is alive added.
  [[nodiscard]] Totals ended() const { return ended_; }

 private:
  Totals ended_;
  std::uint64_t packets_at_sweep_ = 0;
  TimePoint sweep_{};
};

void add_alive(Totals& totals, const Connection& connection);

}  // namespace millrace::session
