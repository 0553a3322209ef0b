#include "session/plan_builder.hpp"

namespace millrace::session {

namespace {

// RTP leaves from the RTP port of the other side, RTCP from its RTCP port; a fork adds the like of each.
std::vector<flow::Egress> egresses_of(const Connection& connection, Side side, Channel channel) {
  std::vector<flow::Egress> egresses;
  egresses.reserve(connection.forks.size() + 1);
  if (connection.complete() && !connection.listens_only) {
    egresses.push_back({connection.id, slot_of(other(side), channel)});
  }
  for (const ForkTo& fork : connection.forks) {
    const Side out = fork.crosswise ? side : other(side);
    if (fork.into->stream(out).has_ports()) egresses.push_back({fork.into->id, slot_of(out, channel)});
  }
  return egresses;
}

flow::PortPlan port_plan(const Connection& connection, Side side, Channel channel, const Settings& settings) {
  const MediaStream& stream = connection.stream(side);
  const bool rtcp = channel == Channel::rtcp;
  flow::PortPlan port;
  port.slot = slot_of(side, channel);
  port.local = rtcp ? stream.local.next_port() : stream.local;
  if (stream.signalled.is_set()) port.signalled = rtcp ? stream.signalled.next_port() : stream.signalled;
  port.signalled_revision = stream.signalled_revision;
  port.latching = {.policy = settings.latching.policy,
                   .asymmetric = stream.asymmetric,
                   .rtcp = rtcp,
                   .window = settings.latching.window,
                   .relatch_after = settings.latching.relatch_after};
  port.tos = stream.tos.value_or(settings.relay.tos);
  port.ttl = settings.relay.ttl;
  port.double_small = settings.relay.double_small;
  port.counters = stream.port(channel).counters;
  port.egresses = egresses_of(connection, side, channel);
  return port;
}

}  // namespace

flow::FlowPlan plan_for(const Connection& connection, const Settings& settings) {
  flow::FlowPlan plan;
  plan.id = connection.id;
  plan.complete = connection.complete();
  plan.ports.reserve(plan.complete ? flow::kSlots : flow::kSlots / 2);
  for (const Side side : {Side::offerer, Side::answerer}) {
    if (!connection.stream(side).has_ports()) continue;
    for (const Channel channel : {Channel::rtp, Channel::rtcp}) {
      plan.ports.push_back(port_plan(connection, side, channel, settings));
    }
  }
  if (connection.fed_by != nullptr) plan.beside = connection.fed_by->id;
  return plan;
}

}  // namespace millrace::session
