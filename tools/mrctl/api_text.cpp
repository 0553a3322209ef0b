#include "mrctl/api_text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

#include "mrctl/render.hpp"

namespace millrace::mrctl {
namespace {

constexpr std::string_view kLine = "{:<10} {:<38} {:>9} {:>10} {:>10} {:>7}  {}\n";

std::string_view name_of(rtpproxy::SessionState state) {
  switch (state) {
    case rtpproxy::CONNECTING: return "connecting";
    case rtpproxy::ACTIVE: return "active";
    case rtpproxy::ERROR: return "error";
    case rtpproxy::CLOSED: return "closed";
    default: return "unknown";
  }
}

std::string_view name_of(rtpproxy::Protocol protocol) { return protocol == rtpproxy::TCP ? "TCP" : "UDP"; }

std::string text_of(const rtpproxy::Endpoint& endpoint) {
  if (endpoint.address().empty()) return "-";
  const bool ipv6 = endpoint.address().find(':') != std::string::npos;
  return ipv6 ? fmt::format("[{}]:{}", endpoint.address(), endpoint.port())
              : fmt::format("{}:{}", endpoint.address(), endpoint.port());
}

std::string ago(std::int64_t then, std::int64_t now) {
  return then == 0 ? "never" : duration_text(static_cast<double>(std::max<std::int64_t>(now - then, 0))) + " ago";
}

std::string text_of(std::string_view name, const rtpproxy::DirectionStats& stats) {
  std::string text =
      fmt::format("  {}: {} packets ({} bytes), {} forwarded, {} lost here, {} lost on the way ({:.1f} %)\n", name,
                  stats.packets_received(), stats.bytes_received(), stats.packets_sent(), stats.packets_lost(),
                  stats.network_packets_lost(), stats.network_loss_rate());
  text += fmt::format("    jitter {:.1f} ms, {:.3f} ms inside Millrace", stats.jitter_ms(), stats.avg_latency_ms());
  if (stats.round_trip_ms() > 0) text += fmt::format(", round trip {:.1f} ms", stats.round_trip_ms());
  for (const auto& [reason, count] : stats.drops()) text += fmt::format(", {} × {}", count, reason);
  return text + '\n';
}

}  // namespace

std::string text_of(const rtpproxy::GetServerInfoResponse& info) {
  std::string text =
      fmt::format("{} {}, up {}{}\n", info.program(), info.version(),
                  duration_text(static_cast<double>(info.uptime_seconds())), info.draining() ? ", draining" : "");
  text += fmt::format("{} sessions, {} connections in all, {} port pairs in use\n", info.sessions(), info.connections(),
                      info.port_pairs_in_use());
  text += fmt::format("{:.0f} packets/s, {:.2f} cores busy, latching {}, {} event streams\n", info.packets_per_second(),
                      info.cpu_load(), info.latching_policy(), info.event_streams());
  for (const auto& engine : info.engines()) {
    if (!engine.on()) {
      text += fmt::format("engine {}: off, {}\n", engine.name(), engine.why_off());
      continue;
    }
    text += fmt::format("engine {}: {} workers, {} connections, {} packets, inside p50 {:.3f} ms, p99 {:.3f} ms\n",
                        engine.name(), engine.workers(), engine.connections(), engine.packets(),
                        engine.latency_p50_ms(), engine.latency_p99_ms());
  }
  return text;
}

std::string heading_of_lines() {
  return fmt::format(kLine, "STATE", "SESSION", "AGE", "IN", "OUT", "LOST", "DESTINATION");
}

std::string line_of(const rtpproxy::SessionInfo& session, std::int64_t now) {
  const auto& stats = session.stats();
  const double age = static_cast<double>(std::max<std::int64_t>(now - session.created_at(), 0));
  return fmt::format(kLine, name_of(session.state()), harmless(session.session_id()), duration_text(age),
                     stats.packets_received(), stats.packets_sent(), stats.packets_lost(),
                     text_of(session.destination_endpoint()));
}

std::string text_of(const rtpproxy::SessionInfo& session, std::int64_t now) {
  std::string text = fmt::format("{} {}: {}, created {}, last packet {}\n", session.call() ? "call" : "session",
                                 harmless(session.session_id()), name_of(session.state()),
                                 ago(session.created_at(), now), ago(session.last_activity_at(), now));
  if (!session.error_message().empty()) text += fmt::format("  error: {}\n", harmless(session.error_message()));
  if (!session.note().empty()) text += fmt::format("  note: {}\n", harmless(session.note()));
  text +=
      fmt::format("  client {} → {} ({}), {} → {} ({})\n", text_of(session.client_endpoint()),
                  text_of(session.listen_endpoint()), name_of(session.protocol()), text_of(session.forward_endpoint()),
                  text_of(session.destination_endpoint()), name_of(session.forward_protocol()));
  if (!session.owner().empty()) text += fmt::format("  made by {}\n", harmless(session.owner()));
  for (const auto& [key, value] : session.labels()) text += fmt::format("  {} = {}\n", harmless(key), harmless(value));
  text += text_of("from the client", session.stats().from_client());
  text += text_of("from the destination", session.stats().from_destination());
  return text;
}

std::string line_of(const rtpproxy::SessionEvent& event) {
  const std::chrono::sys_time<std::chrono::milliseconds> at{std::chrono::milliseconds{event.timestamp_ms()}};
  const auto& stats = event.session().stats();
  const std::string numbers =
      event.event_type() == rtpproxy::SESSION_STATS_UPDATE || event.event_type() == rtpproxy::SESSION_CLOSED
          ? fmt::format("; {} packets in, {} out, {} lost", stats.packets_received(), stats.packets_sent(),
                        stats.packets_lost())
          : std::string{};
  return fmt::format("{:%H:%M:%S}.{:03} {:>6} {} {}{}\n", std::chrono::floor<std::chrono::seconds>(at),
                     event.timestamp_ms() % 1000, event.sequence(), harmless(event.session().session_id()),
                     harmless(event.description()), numbers);
}

}  // namespace millrace::mrctl
