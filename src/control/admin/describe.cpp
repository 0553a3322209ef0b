#include "control/admin/describe.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "base/utf8.hpp"
#include "session/verdict.hpp"

namespace millrace::control::admin {
namespace {

namespace json = boost::json;
using flow::Count;
using flow::FlowCounters;
using session::Channel;
using session::Connection;
using session::MediaStream;
using session::Side;

constexpr double kJitterScale = 1000;  // counters hold thousandths of a tick
constexpr double kNanosecondsPerSecond = 1e9;

std::string text_of(const net::Endpoint& endpoint) { return endpoint.is_set() ? endpoint.to_string() : std::string{}; }

double seconds_since(TimePoint then, Now now) { return std::chrono::duration<double>(now.mono - then).count(); }

// Silence of a flow; null before its first packet.
json::value silence(const FlowCounters& counters, Now now) {
  const auto last = counters[Count::last_in_mono_ns];
  if (last == 0) return nullptr;
  return static_cast<double>(now.mono.time_since_epoch().count() - static_cast<std::int64_t>(last)) /
         kNanosecondsPerSecond;
}

json::object drops_of(const FlowCounters& counters) {
  json::object drops;
  for (std::size_t i = 0; i < flow::kDropReasons; ++i) {
    const auto reason = static_cast<flow::Drop>(i);
    if (counters[reason] > 0) drops[std::string{flow::name_of(reason)}] = counters[reason];
  }
  return drops;
}

json::object traffic_of(const FlowCounters& counters, Now now) {
  return {{"packets_in", counters[Count::packets_in]},
          {"bytes_in", counters[Count::bytes_in]},
          {"packets_relayed", counters[Count::packets_relayed]},
          {"packets_out", counters[Count::packets_out]},
          {"bytes_out", counters[Count::bytes_out]},
          {"dropped", drops_of(counters)},
          {"silent_seconds", silence(counters, now)}};
}

json::object reception_of(const FlowCounters& counters) {
  const auto expected = counters[Count::rtp_expected];
  const double lost =
      expected == 0 ? 0 : 100.0 * static_cast<double>(counters[Count::rtp_lost]) / static_cast<double>(expected);
  const auto samples = counters[Count::latency_count];
  const auto type = counters[Count::rtp_payload_type];
  return {{"received", counters[Count::rtp_received]},
          {"lost", counters[Count::rtp_lost]},
          {"loss_percent", lost},
          {"duplicates", counters[Count::rtp_duplicates]},
          {"reordered", counters[Count::rtp_reordered]},
          {"ssrc", counters[Count::rtp_ssrc]},
          {"ssrc_count", counters[Count::rtp_ssrc_count]},
          {"payload_type", type == flow::kNoPayloadType || expected == 0 ? json::value{nullptr} : json::value{type}},
          {"jitter_ticks", static_cast<double>(counters[Count::rtp_jitter_last]) / kJitterScale},
          {"jitter_max_ticks", static_cast<double>(counters[Count::rtp_jitter_max]) / kJitterScale},
          {"longest_gap_seconds", static_cast<double>(counters[Count::longest_gap_ns]) / kNanosecondsPerSecond},
          {"latency_average_us",
           samples == 0 ? 0.0
                        : static_cast<double>(counters[Count::latency_sum_ns]) / static_cast<double>(samples) / 1000}};
}

json::array history_of(const session::LearnedRemote& remote) {
  json::array history;
  for (const auto& entry : remote.history) {
    history.push_back(json::object{{"at", clock_text(entry.at)},
                                   {"endpoint", entry.endpoint.to_string()},
                                   {"cause", std::string{flow::describe(entry.cause)}}});
  }
  return history;
}

json::object remote_of(const session::MediaPort& port, const net::Endpoint& signalled) {
  json::object remote{{"signalled", text_of(signalled)}};
  const bool known = port.remote != nullptr;
  remote["sends_to"] = known ? text_of(port.remote->destination) : text_of(signalled);
  remote["learned"] = known && port.remote->learned;
  remote["locked"] = known && port.remote->locked;
  remote["history"] = known ? history_of(*port.remote) : json::array{};
  remote["history_text"] = known ? flow::history_text(port.remote->history) : std::string{};
  return remote;
}

FlowCounters sample(const session::MediaPort& port) {
  return port.counters == nullptr ? FlowCounters{} : port.counters->sample();
}

std::string_view name_of(flow::Transport transport) {
  switch (transport) {
    case flow::Transport::datagram: return "udp";
    case flow::Transport::stream: return "tcp";
    case flow::Transport::framed_stream: return "tcp, framed";
  }
  return "";
}

json::object side_of(const Connection& connection, Side side, Now now) {
  const MediaStream& stream = connection.stream(side);
  const auto rtp = sample(stream.port(Channel::rtp)), rtcp = sample(stream.port(Channel::rtcp));
  json::object described{{"role", side == Side::offerer ? "caller" : "callee"},
                         {"tag", to_utf8(stream.name())},
                         {"local", text_of(stream.local)},
                         {"asymmetric", stream.asymmetric},
                         {"held", stream.held},
                         {"transport", std::string{name_of(stream.transport)}},
                         {"remote", remote_of(stream.port(Channel::rtp), stream.signalled)},
                         {"rtp", traffic_of(rtp, now)},
                         {"reception", reception_of(rtp)}};
  if (stream.has_port(Channel::rtcp) || !stream.has_ports()) {
    described["rtcp_remote"] = remote_of(stream.port(Channel::rtcp),
                                         stream.signalled.is_set() ? stream.signalled.next_port() : net::Endpoint{});
    described["rtcp"] = traffic_of(rtcp, now);
  }
  json::array codecs;
  for (const auto codec : stream.codecs) codecs.push_back(codec);
  described["codecs"] = std::move(codecs);
  return described;
}

std::string_view name_of(session::State state) {
  switch (state) {
    case session::State::connecting: return "connecting";
    case session::State::active: return "active";
    case session::State::failed: return "failed";
    case session::State::closed: return "closed";
  }
  return "";
}

std::string_view state_of(const Connection& connection) {
  if (connection.session != nullptr) return name_of(connection.state);
  if (!connection.complete()) return "waiting";
  return connection.held() ? "held" : "active";
}

json::value session_of(const Connection& connection) {
  if (connection.session == nullptr) return nullptr;
  const auto& session = *connection.session;
  json::object labels;
  for (const auto& [key, value] : session.labels) labels[to_utf8(key)] = to_utf8(value);
  return json::object{{"owner", to_utf8(session.owner)},
                      {"labels", std::move(labels)},
                      {"note", session.note},
                      {"error", session.error}};
}

// Null: it may be silent for ever.
json::value ttl_of(const Connection& connection) {
  const auto remaining = connection.timers.remaining(connection.activity());
  return remaining == session::Timers::kNever ? json::value{nullptr} : json::value{remaining.count()};
}

json::object connection_of(const Connection& connection, Now now) {
  return {{"id", connection.id.value()},
          {"session", session_of(connection)},
          {"state", std::string{state_of(connection)}},
          {"age_seconds", seconds_since(connection.created.mono, now)},
          {"ttl_seconds", ttl_of(connection)},
          {"verdict", session::verdict(connection, now)},
          {"sides", json::array{side_of(connection, Side::offerer, now), side_of(connection, Side::answerer, now)}}};
}

json::object summary_of(const session::Call& call, Now now) {
  std::uint64_t from_caller = 0, from_callee = 0;
  std::string verdict;
  for (const auto& connection : call.connections()) {
    from_caller += sample(connection.stream(Side::offerer).port(Channel::rtp))[Count::packets_in];
    from_callee += sample(connection.stream(Side::answerer).port(Channel::rtp))[Count::packets_in];
    if (verdict.empty()) verdict = session::verdict(connection, now);
  }
  return {{"id", to_utf8(call.id())},
          {"age_seconds", seconds_since(call.created().mono, now)},
          {"connections", call.connections().size()},
          {"packets_from_caller", from_caller},
          {"packets_from_callee", from_callee},
          {"verdict", verdict}};
}

json::array interfaces_of(const NodeFacts& facts) {
  json::array interfaces;
  for (const auto& interface : facts.interfaces) {
    json::array addresses;
    for (const auto& address : interface.addresses) addresses.push_back(json::string{address.to_string()});
    interfaces.push_back(json::object{{"name", interface.name},
                                      {"addresses", std::move(addresses)},
                                      {"advertised", interface.advertised},
                                      {"first_port", interface.range.first},
                                      {"last_port", interface.range.last + 1}});
  }
  return interfaces;
}

json::object engine_of(const EngineFacts& engine) {
  json::array workers;
  for (const auto& worker : engine.workers) {
    workers.push_back(json::object{{"connections", worker.connections}, {"packets", worker.packets}});
  }
  return {{"name", engine.name},
          {"workers", std::move(workers)},
          {"sockets_failed", engine.sockets_failed},
          {"latency_p50_us", static_cast<double>(engine.latency_p50_ns) / 1000},
          {"latency_p99_us", static_cast<double>(engine.latency_p99_ns) / 1000}};
}

}  // namespace

std::string describe_status(const NodeFacts& facts, const session::Totals& totals, Now now) {
  json::array sockets;
  for (const auto& socket : facts.control_sockets) sockets.push_back(json::string{socket});
  return json::serialize(
      json::object{{"program", facts.program},
                   {"version", facts.version},
                   {"pid", facts.pid},
                   {"uptime_seconds", std::chrono::duration<double>(now.wall - facts.started).count()},
                   {"draining", facts.draining},
                   {"control_sockets", std::move(sockets)},
                   {"interfaces", interfaces_of(facts)},
                   {"ports_in_use", facts.ports.in_use * 2},
                   {"ports_passed_over", facts.ports.passed_over},
                   {"ports_taken_while_resting", facts.ports.taken_while_resting},
                   {"ports_failed", facts.ports.failed},
                   {"port_failure", facts.port_failure},
                   {"latching_policy", facts.latching_policy},
                   {"engine", engine_of(facts.engine)},
                   {"log_lines_dropped", facts.log_lines_dropped},
                   {"calls", totals.active_calls},
                   {"connections", totals.active_connections},
                   {"connections_created", totals.created},
                   {"connections_timed_out", totals.timed_out},
                   {"packets_in", totals.packets_in},
                   {"packets_relayed", totals.packets_relayed},
                   {"packets_discarded", totals.packets_discarded},
                   {"packets_per_second", totals.packets_in_per_second}});
}

std::string describe_calls(const std::vector<const session::Call*>& calls, std::size_t in_all, Now now) {
  json::array described;
  for (const auto* call : calls) described.push_back(summary_of(*call, now));
  return json::serialize(json::object{{"calls", std::move(described)}, {"total", in_all}});
}

std::string describe_call(const session::Call& call, Now now) {
  json::array connections;
  for (const auto& connection : call.connections()) connections.push_back(connection_of(connection, now));
  return json::serialize(json::object{{"id", to_utf8(call.id())},
                                      {"created", clock_text(call.created().wall)},
                                      {"age_seconds", seconds_since(call.created().mono, now)},
                                      {"connections", std::move(connections)}});
}

std::string describe_findings(const std::vector<Finding>& findings) {
  json::array described;
  for (const auto& finding : findings) {
    described.push_back(json::object{{"severity", std::string{name_of(finding.severity)}},
                                     {"check", finding.check},
                                     {"says", finding.says},
                                     {"mend", finding.mend}});
  }
  return json::serialize(json::object{{"findings", std::move(described)}});
}

}  // namespace millrace::control::admin
