#pragma once
// The deciding half: every call, and what a command does to it. The only writer of every Call; control thread only.
// Sans-I/O but for ports: takes commands, time and events; gives replies, plans (to the Forwarder) and Changes (to
// the listeners). Plans of connections that commands touched go out at flush(), once per batch of commands.

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "flow/plan.hpp"
#include "net/port_pool.hpp"
#include "session/change.hpp"
#include "session/command.hpp"
#include "session/reply.hpp"
#include "session/settings.hpp"

namespace millrace::session {

class Call;

// Numbers over the life of the process, for `G`, `I`, metrics. "Connection" is the text protocol's session.
struct Totals {
  std::uint64_t created = 0, destroyed = 0, timed_out = 0, completed = 0;
  std::uint64_t no_rtp = 0, one_way_rtp = 0, no_rtcp = 0, one_way_rtcp = 0;  // of completed ones that ended
  std::uint64_t packets_in = 0, packets_relayed = 0, packets_discarded = 0;  // RTP and RTCP, ended and alive
  std::uint64_t rtp_expected = 0, rtp_received = 0, rtp_duplicates = 0, rtp_lost = 0, not_rtp = 0;  // ended ones
  double duration_seconds = 0;  // sum over ended ones
  double packets_in_per_second = 0;  // over the last second
  std::size_t active_connections = 0, active_calls = 0;
};

class Calls {
 public:
  // All references outlive this.
  Calls(const Settings& settings, net::PortPool& ports, flow::Forwarder& forwarder, flow::CounterArena& counters);
  ~Calls();

  [[nodiscard]] Reply execute(const Command& command, Now now);
  // Hands out the plans of what was touched since the last flush.
  void flush();
  // Once a second: time-outs, rates. One sweep over the counter blocks.
  void tick(Now now);

  void on(const flow::RemoteChanged& event, Now now);
  void on(const flow::PortClosed& event, Now now);
  void on(const flow::Removed& event, Now now);

  void add_listener(ChangeListener& listener);
  void drain() { draining_ = true; }  // existing calls go on, new ones get Error::draining
  [[nodiscard]] bool draining() const { return draining_; }
  void end_all(EndReason reason, Now now);

  [[nodiscard]] Totals totals() const;
  [[nodiscard]] const Call* find(std::string_view call_id) const;
  // In order of creation, oldest first.
  [[nodiscard]] std::vector<const Call*> list() const;

 private:
  bool draining_ = false;
};

}  // namespace millrace::session
