#include "session/plan_builder.hpp"

#include <algorithm>

namespace millrace::session {

namespace {

using flow::Carries;
using flow::Transport;

// RTP leaves from the RTP port of the other side, RTCP from its RTCP port. A framed stream is both: what it carries is
// taken apart on the way to datagrams, and what comes from them is put together.
void add_other_side(std::vector<flow::Egress>& egresses, const Connection& connection, Side side, Channel channel) {
  const MediaStream& out = connection.stream(other(side));
  const flow::Slot rtp = slot_of(other(side), Channel::rtp);
  if (flow::is_stream(out.transport)) {
    egresses.push_back({.connection = connection.id, .slot = rtp});
  } else if (flow::is_stream(connection.stream(side).transport)) {
    egresses.push_back({.connection = connection.id, .slot = rtp, .carries = Carries::all_but_rtcp});
    if (!out.has_port(Channel::rtcp)) return;
    egresses.push_back({.connection = connection.id, .slot = flow::rtcp_of(rtp), .carries = Carries::rtcp});
  } else if (out.has_port(channel)) {
    egresses.push_back({.connection = connection.id, .slot = slot_of(other(side), channel)});
  }
}

// A fork adds the like of each port.
std::vector<flow::Egress> egresses_of(const Connection& connection, Side side, Channel channel) {
  std::vector<flow::Egress> egresses;
  egresses.reserve(connection.forks.size() + 1);
  if (connection.complete() && !connection.listens_only) add_other_side(egresses, connection, side, channel);
  for (const ForkTo& fork : connection.forks) {
    const Side out = fork.crosswise ? side : other(side);
    if (!fork.into->stream(out).has_port(channel)) continue;
    egresses.push_back({.connection = fork.into->id, .slot = slot_of(out, channel)});
  }
  return egresses;
}

// A session's client is never signalled: were nothing learned of it, nobody could speak.
flow::LatchPolicy policy_of(const Connection& connection, Side side, flow::LatchPolicy configured) {
  const bool must_learn = connection.session != nullptr && side == Side::offerer;
  return must_learn && configured == flow::LatchPolicy::strict ? flow::LatchPolicy::safe : configured;
}

flow::PortPlan port_plan(const Connection& connection, Side side, Channel channel, const Settings& settings) {
  const MediaStream& stream = connection.stream(side);
  const bool rtcp = channel == Channel::rtcp;
  flow::PortPlan port;
  port.slot = slot_of(side, channel);
  port.local = rtcp ? stream.local.next_port() : stream.local;
  if (stream.signalled.is_set()) port.signalled = rtcp ? stream.signalled.next_port() : stream.signalled;
  port.signalled_revision = stream.signalled_revision;
  port.latching = {.policy = policy_of(connection, side, settings.latching.policy),
                   .asymmetric = stream.asymmetric,
                   .rtcp = rtcp,
                   .window = settings.latching.window,
                   .relatch_after = settings.latching.relatch_after};
  port.tos = stream.tos.value_or(settings.relay.tos);
  port.ttl = settings.relay.ttl;
  port.double_small = settings.relay.double_small;
  port.counters = stream.port(channel).counters;
  port.egresses = egresses_of(connection, side, channel);
  port.transport = stream.transport;
  if (connection.session != nullptr) port.stream = connection.session->stream;
  return port;
}

// 0 is "no limit".
template <class Number>
Number lower(Number one, Number other) {
  if (one == 0 || other == 0) return std::max(one, other);
  return std::min(one, other);
}

}  // namespace

flow::RateLimit limit_for(const Connection& connection, const flow::LimitSettings& configured) {
  flow::RateLimit limit{.packets_per_second = configured.packets_per_second,
                        .bits_per_second = configured.bits_per_second,
                        .burst = configured.burst};
  if (connection.session == nullptr || !connection.session->limit.is_set()) return limit;
  const flow::RateLimit& own = connection.session->limit;
  // A session that limits itself where nothing is configured chooses its burst, too.
  const bool may_choose = !limit.is_set();
  if (own.burst.count() > 0) limit.burst = may_choose ? own.burst : std::min(limit.burst, own.burst);
  limit.packets_per_second = lower(limit.packets_per_second, own.packets_per_second);
  limit.bits_per_second = lower(limit.bits_per_second, own.bits_per_second);
  return limit;
}

flow::FlowPlan plan_for(const Connection& connection, const Settings& settings) {
  flow::FlowPlan plan;
  plan.id = connection.id;
  plan.complete = connection.complete();
  plan.ports.reserve(plan.complete ? flow::kSlots : flow::kSlots / 2);
  for (const Side side : {Side::offerer, Side::answerer}) {
    for (const Channel channel : {Channel::rtp, Channel::rtcp}) {
      if (!connection.stream(side).has_port(channel)) continue;
      plan.ports.push_back(port_plan(connection, side, channel, settings));
    }
  }
  plan.limit = limit_for(connection, settings.limits);
  if (connection.fed_by != nullptr) plan.beside = connection.fed_by->id;
  return plan;
}

}  // namespace millrace::session
