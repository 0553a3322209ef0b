#include "control/grpc/session_info.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <utility>

#include "base/utf8.hpp"
#include "control/grpc/stats.hpp"

namespace millrace::control::grpc {

namespace pb = ::rtpproxy;

namespace {

using session::Side;

std::int64_t unix_seconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::uint32_t as_seconds(std::chrono::seconds time) {
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  return time.count() > kMost ? kMost : static_cast<std::uint32_t>(time.count());
}

pb::SessionState state_of(session::State state) {
  switch (state) {
    case session::State::connecting: return pb::CONNECTING;
    case session::State::active: return pb::ACTIVE;
    case session::State::failed: return pb::ERROR;
    case session::State::closed: return pb::CLOSED;
  }
  return pb::SESSION_STATE_UNSPECIFIED;
}

pb::EndReason end_reason_of(session::EndReason reason) {
  switch (reason) {
    case session::EndReason::deleted:
    case session::EndReason::all_deleted: return pb::DESTROYED;
    case session::EndReason::idle_timeout: return pb::IDLE_TIMEOUT;
    case session::EndReason::setup_timeout: return pb::SETUP_TIMEOUT;
    case session::EndReason::held_timeout: return pb::HELD_TIMEOUT;
    case session::EndReason::max_duration: return pb::MAX_DURATION;
    case session::EndReason::shutdown: return pb::SHUTDOWN;
  }
  return pb::END_REASON_UNSPECIFIED;
}

pb::Protocol protocol_of(flow::Transport transport) { return is_stream(transport) ? pb::TCP : pb::UDP; }

}  // namespace

std::string session_id_of(const session::View& view) {
  if (view.session) return view.call_id;
  return to_utf8(view.call_id + "/" + view.side(Side::offerer).name);
}

void write_endpoint(const net::Endpoint& endpoint, pb::Endpoint& out) {
  out.set_address(endpoint.address.to_string());
  out.set_port(endpoint.port.value());
}

void write_session(const session::View& view, pb::SessionInfo& out) {
  const auto& client = view.side(Side::offerer);
  const auto& destination = view.side(Side::answerer);
  out.set_session_id(session_id_of(view));
  out.set_state(state_of(view.state));
  if (client.local.is_set()) write_endpoint(client.local, *out.mutable_listen_endpoint());
  if (destination.local.is_set()) write_endpoint(destination.local, *out.mutable_forward_endpoint());
  if (destination.signalled.is_set()) write_endpoint(destination.signalled, *out.mutable_destination_endpoint());
  if (client.remote.is_set()) write_endpoint(client.remote, *out.mutable_client_endpoint());
  out.set_protocol(protocol_of(client.transport));
  out.set_forward_protocol(protocol_of(destination.transport));
  const bool framed =
      client.transport == flow::Transport::framed_stream || destination.transport == flow::Transport::framed_stream;
  out.set_framing(framed ? pb::FRAMING_RFC4571 : pb::FRAMING_NONE);
  out.set_created_at(unix_seconds(view.created));
  if (view.last_activity) out.set_last_activity_at(unix_seconds(*view.last_activity));
  write_stats(view, *out.mutable_stats());
  out.set_error_message(to_utf8(view.error));
  for (const auto& [key, value] : view.labels) (*out.mutable_labels())[key] = value;
  auto& limits = *out.mutable_limits();
  limits.set_packets_per_second(view.limit.packets_per_second);
  limits.set_bits_per_second(view.limit.bits_per_second);
  if (view.limit.is_set()) limits.set_burst_ms(static_cast<std::uint32_t>(view.limit.burst.count()));
  if (view.idle_timeout) out.set_timeout_seconds(as_seconds(*view.idle_timeout));
  out.set_stats_interval_seconds(as_seconds(view.stats_interval));
  out.set_rtcp(client.rtcp && destination.rtcp);
  out.set_note(to_utf8(view.note));
  out.set_owner(to_utf8(view.owner));
  out.set_call(!view.session);
}

pb::SessionEventType type_of(events::Kind kind) {
  switch (kind) {
    case events::Kind::created: return pb::SESSION_CREATED;
    case events::Kind::state_changed: return pb::SESSION_STATE_CHANGED;
    case events::Kind::updated: return pb::SESSION_UPDATED;
    case events::Kind::statistics: return pb::SESSION_STATS_UPDATE;
    case events::Kind::failed: return pb::SESSION_ERROR;
    case events::Kind::closed: return pb::SESSION_CLOSED;
  }
  return pb::SESSION_EVENT_TYPE_UNSPECIFIED;
}

void write_event(const events::Event& event, const std::string& instance, pb::SessionEvent& out) {
  out.set_event_type(type_of(event.kind));
  write_session(*event.view, *out.mutable_session());
  out.set_timestamp(unix_seconds(event.at));
  out.set_timestamp_ms(std::chrono::floor<std::chrono::milliseconds>(event.at.time_since_epoch()).count());
  out.set_description(to_utf8(event.description));
  out.set_sequence(event.sequence);
  out.set_instance_id(instance);
  if (event.end) out.set_end_reason(end_reason_of(*event.end));
}

}  // namespace millrace::control::grpc
