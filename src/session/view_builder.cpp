#include "session/view_builder.hpp"

#include <algorithm>

#include "session/call.hpp"
#include "session/plan_builder.hpp"

namespace millrace::session {

namespace {

using flow::Count;

SideView side_of(const Connection& connection, Side side) {
  const MediaStream& stream = connection.stream(side);
  const auto sample = [&stream](Channel channel) {
    const flow::CounterBlock* block = stream.port(channel).counters;
    return block != nullptr ? block->sample() : flow::FlowCounters{};
  };
  const auto& learned = stream.port(Channel::rtp).remote;
  return {.name = stream.leg->tag.empty() ? std::string{} : stream.name(),
          .local = stream.local,
          .rtcp = stream.has_port(Channel::rtcp),
          .signalled = stream.signalled,
          .remote = learned != nullptr ? learned->destination : stream.signalled,
          .transport = stream.transport,
          .rtp_counters = sample(Channel::rtp),
          .rtcp_counters = sample(Channel::rtcp)};
}

std::optional<WallTime> last_activity(const View& view) {
  std::uint64_t last = 0;
  for (const SideView& side : view.sides) {
    last = std::max({last, side.rtp_counters[Count::last_in_wall_ns], side.rtcp_counters[Count::last_in_wall_ns]});
  }
  if (last == 0) return std::nullopt;
  return WallTime{Nanoseconds{static_cast<std::int64_t>(last)}};
}

void add_session(View& view, const SessionPart& session) {
  view.session = true;
  view.error = session.error;
  view.stats_interval = session.stats_interval;
  view.labels = session.labels;
  view.owner = session.owner;
  view.note = session.note;
  if (session.connected_from.is_set()) view.sides[index_of(Side::answerer)].local = session.connected_from;
}

}  // namespace

View view_of(const Connection& connection, const flow::LimitSettings& limits) {
  View view;
  view.id = connection.id;
  view.call_id = connection.call->id();
  view.state = connection.state;
  view.created = connection.created.wall;
  view.sides = {side_of(connection, Side::offerer), side_of(connection, Side::answerer)};
  view.last_activity = last_activity(view);
  if (const auto idle = connection.timers.idle(); idle != Timers::kNever) view.idle_timeout = idle;
  view.limit = limit_for(connection, limits);
  if (connection.session != nullptr) add_session(view, *connection.session);
  return view;
}

}  // namespace millrace::session
