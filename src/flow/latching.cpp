// What both policies share: the commands and the history.

#include "flow/latching.hpp"

#include <utility>

namespace millrace::flow {

void Latch::set_rules(const LatchRules& rules, Now now) {
  const LatchRules before = std::exchange(rules_, rules);
  if (before.policy == rules.policy && before.asymmetric == rules.asymmetric) return;
  if (rules.policy == LatchPolicy::reference) {
    // Asymmetric from the start means latched from the start; symmetric again, the next packet may teach.
    state_.locked = rules.asymmetric;
    return;
  }
  reopen();
  if (!state_.signalled.is_set() || state_.destination == state_.signalled) return;
  if (!learns()) set_destination(state_.signalled, Cause::signalled, now);
}

void Latch::signal(const net::Endpoint& signalled, Now now) {
  if (rules_.policy == LatchPolicy::reference) return signal_reference(signalled, now);
  signal_safe(signalled, now);
}

Verdict Latch::on_arrival(const Arrival& arrival, Now now) {
  if (rules_.policy == LatchPolicy::reference) return on_arrival_reference(arrival, now);
  return on_arrival_safe(arrival, now);
}

bool Latch::follow_rtp(const net::Endpoint& rtp_source, Now now) {
  if (!rules_.rtcp || rtp_source.port.value() == 0xffff) return false;  // there is no port above the last
  if (rules_.policy == LatchPolicy::reference) return follow_rtp_reference(rtp_source, now);
  return follow_rtp_safe(rtp_source, now);
}

void Latch::set_destination(const net::Endpoint& destination, Cause cause, Now now) {
  state_.destination = destination;
  state_.learned = cause != Cause::signalled && cause != Cause::signalled_source;
  remember(cause, now);
}

// What repeats is told once; a source that comes and goes (a stream that never latches) keeps two entries and their
// latest times instead of pushing everything else out.
void Latch::remember(Cause cause, Now now) {
  EndpointHistory& history = state_.history;
  const HistoryEntry entry{.at = now.wall, .endpoint = state_.destination, .cause = cause};
  const auto same = [&entry](const HistoryEntry& other) {
    return other.endpoint == entry.endpoint && other.cause == entry.cause;
  };
  const std::size_t size = history.size();
  if (size >= 1 && same(history.back())) return;
  if (size >= 2 && cause != Cause::signalled && same(history[size - 2])) history.erase_at(size - 2);
  history.push_back(entry);
}

}  // namespace millrace::flow
