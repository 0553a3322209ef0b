#include "mrctl/render.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace millrace::mrctl {

std::string harmless(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      shown += fmt::format("\\x{:02x}", byte);
    } else {
      shown += c;
    }
  }
  return shown;
}

namespace {

namespace json = boost::json;

std::string text(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_string() ? harmless(value->get_string()) : std::string{};
}
double number(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}
std::uint64_t count(const json::object& object, std::string_view key) {
  return static_cast<std::uint64_t>(std::max(number(object, key), 0.0));
}
bool flag(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_bool() && value->get_bool();
}
const json::object& part(const json::object& object, std::string_view key) {
  static const json::object kNone;
  const auto* value = object.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_object() ? value->get_object() : kNone;
}
const json::array& list(const json::object& object, std::string_view key) {
  static const json::array kNone;
  const auto* value = object.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

std::string or_dash(std::string value) { return value.empty() ? "-" : value; }

std::string interface_line(const json::object& interface) {
  std::vector<std::string> addresses;
  for (const auto& address : list(interface, "addresses")) addresses.emplace_back(address.as_string());
  const auto advertised = text(interface, "advertised");
  const auto name = text(interface, "name");
  return fmt::format("  media       {}{} ports {}-{}{}\n", name.empty() ? "" : name + " ", fmt::join(addresses, ", "),
                     count(interface, "first_port"), count(interface, "last_port"),
                     advertised.empty() ? "" : ", advertised as " + advertised);
}

// One decision a line: "12:03:04.120 learned 203.0.113.7:4000: first packet".
std::string history_lines(const json::object& remote) {
  std::string lines;
  const auto history = text(remote, "history_text");
  for (std::size_t at = 0; at < history.size();) {
    const auto end = std::min(history.find("; ", at), history.size());
    lines += fmt::format("      {}\n", history.substr(at, end - at));
    at = end + 2;
  }
  return lines;
}

std::string drops_line(const json::object& traffic) {
  std::vector<std::string> drops;
  for (const auto& [reason, number] : part(traffic, "dropped")) {
    drops.push_back(fmt::format("{} {}", number.to_number<std::uint64_t>(), std::string{reason}));
  }
  return drops.empty() ? std::string{} : fmt::format("    dropped     {}\n", fmt::join(drops, ", "));
}

std::string silence_text(const json::object& traffic) {
  const auto* value = traffic.if_contains("silent_seconds");
  if (value == nullptr || value->is_null()) return "never a packet";
  return fmt::format("last {} ago", duration_text(value->to_number<double>()));
}

std::string remote_line(std::string_view title, const json::object& remote) {
  const auto how = flag(remote, "learned") ? "learned from its packets" : "as signalled";
  return fmt::format("    {:<11} {} ({}{}; signalled {})\n", title, or_dash(text(remote, "sends_to")), how,
                     flag(remote, "locked") ? ", locked" : "", or_dash(text(remote, "signalled")));
}

// Nothing about what is usual.
std::string transport_text(const json::object& side) {
  const auto transport = text(side, "transport");
  return transport.empty() || transport == "udp" ? "" : " (" + transport + ")";
}

// Of a session that a controller made.
std::string session_lines(const json::object& connection) {
  const auto& session = part(connection, "session");
  std::string lines;
  for (const auto* key : {"owner", "note", "error"}) {
    if (const auto value = text(session, key); !value.empty()) lines += fmt::format("  {:<11} {}\n", key, value);
  }
  for (const auto& [key, value] : part(session, "labels")) {
    lines += fmt::format("  label       {} = {}\n", harmless(key), harmless(value.as_string()));
  }
  return lines;
}

std::string ends_text(const json::object& connection) {
  const auto* ttl = connection.if_contains("ttl_seconds");
  if (ttl == nullptr || !ttl->is_number()) return "no silence ends it";
  return fmt::format("ends after {} s without a packet", count(connection, "ttl_seconds"));
}

std::string side_lines(const json::object& side) {
  const auto& rtp = part(side, "rtp");
  const auto& rtcp = part(side, "rtcp");
  const auto& reception = part(side, "reception");
  std::string lines =
      fmt::format("  {} {}{}{}\n", text(side, "role"), or_dash(text(side, "tag")),
                  flag(side, "held") ? ", on hold" : "", flag(side, "asymmetric") ? ", asymmetric" : "");
  lines += fmt::format("    sends to    {}{}\n", or_dash(text(side, "local")), transport_text(side));
  lines += remote_line("is at", part(side, "remote"));
  lines += history_lines(part(side, "remote"));
  lines += fmt::format("    RTP         {} in, {} relayed on, {} out, {}\n", count(rtp, "packets_in"),
                       count(rtp, "packets_relayed"), count(rtp, "packets_out"), silence_text(rtp));
  lines += drops_line(rtp);
  if (count(reception, "received") > 0) {
    lines += fmt::format(
        "    reception   {} lost ({:.2f} %), {} duplicates, {} reordered, jitter {:.1f} ticks (max {:.1f}), "
        "longest gap {:.0f} ms\n",
        count(reception, "lost"), number(reception, "loss_percent"), count(reception, "duplicates"),
        count(reception, "reordered"), number(reception, "jitter_ticks"), number(reception, "jitter_max_ticks"),
        number(reception, "longest_gap_seconds") * 1000);
    lines += fmt::format("    stream      SSRC {:08x}, payload type {}, {:.0f} us inside Millrace\n",
                         count(reception, "ssrc"), count(reception, "payload_type"),
                         number(reception, "latency_average_us"));
  }
  if (!side.contains("rtcp")) return lines + "    RTCP        none\n";
  lines += fmt::format("    RTCP        {} in, {} out, {}\n", count(rtcp, "packets_in"), count(rtcp, "packets_out"),
                       silence_text(rtcp));
  return lines + drops_line(rtcp);
}

}  // namespace

std::string duration_text(double seconds) {
  if (seconds < 0) seconds = 0;
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::uint64_t>(seconds);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string render_status(const json::object& status) {
  std::vector<std::string> sockets;
  for (const auto& socket : list(status, "control_sockets")) sockets.emplace_back(socket.as_string());
  std::string lines = fmt::format("{} {}, process {}, up {}{}\n", text(status, "program"), text(status, "version"),
                                  count(status, "pid"), duration_text(number(status, "uptime_seconds")),
                                  flag(status, "draining") ? ", draining: no new calls" : "");
  lines += fmt::format("  control     {}\n", fmt::join(sockets, ", "));
  for (const auto& interface : list(status, "interfaces")) lines += interface_line(interface.as_object());
  lines += fmt::format("  calls       {} now ({} connections, {} ports), {} connections so far, {} timed out\n",
                       count(status, "calls"), count(status, "connections"), count(status, "ports_in_use"),
                       count(status, "connections_created"), count(status, "connections_timed_out"));
  lines += fmt::format("  packets     {:.0f} a second; {} in, {} relayed, {} discarded\n",
                       number(status, "packets_per_second"), count(status, "packets_in"),
                       count(status, "packets_relayed"), count(status, "packets_discarded"));
  const auto& engine = part(status, "engine");
  lines += fmt::format("  engine      {} with {} worker(s)", text(engine, "name"), list(engine, "workers").size());
  if (number(engine, "latency_p99_us") > 0) {
    lines += fmt::format("; inside for {:.0f} us (p50), {:.0f} us (p99)", number(engine, "latency_p50_us"),
                         number(engine, "latency_p99_us"));
  }
  return lines + fmt::format("\n  latching    {}\n", text(status, "latching_policy"));
}

std::string render_calls(const json::object& calls) {
  const auto& rows = list(calls, "calls");
  if (rows.empty()) return "no calls\n";
  std::string lines =
      fmt::format("{:<36} {:>12} {:>8} {:>10} {:>10}  {}\n", "CALL", "AGE", "STREAMS", "CALLER", "CALLEE", "VERDICT");
  for (const auto& row : rows) {
    const auto& call = row.as_object();
    lines += fmt::format("{:<36} {:>12} {:>8} {:>10} {:>10}  {}\n", text(call, "id"),
                         duration_text(number(call, "age_seconds")), count(call, "connections"),
                         count(call, "packets_from_caller"), count(call, "packets_from_callee"), text(call, "verdict"));
  }
  if (count(calls, "total") > rows.size()) {
    lines +=
        fmt::format("… and {} more (mrctl calls --limit N, --contains TEXT)\n", count(calls, "total") - rows.size());
  }
  return lines;
}

std::string render_call(const json::object& call) {
  std::string lines = fmt::format("call {}, since {} UTC ({})\n", text(call, "id"), text(call, "created"),
                                  duration_text(number(call, "age_seconds")));
  for (const auto& value : list(call, "connections")) {
    const auto& connection = value.as_object();
    lines +=
        fmt::format("\n{}\n  {}, {}\n", text(connection, "verdict"), text(connection, "state"), ends_text(connection));
    lines += session_lines(connection);
    for (const auto& side : list(connection, "sides")) lines += side_lines(side.as_object());
  }
  return lines;
}

std::string render_findings(const json::object& findings, bool color) {
  constexpr std::string_view kGreen = "\033[32m", kYellow = "\033[33m", kRed = "\033[31m", kPlain = "\033[0m";
  std::string lines;
  for (const auto& value : list(findings, "findings")) {
    const auto& finding = value.as_object();
    const auto severity = text(finding, "severity");
    const auto mark = severity == "fine" ? kGreen : severity == "advice" ? kYellow : kRed;
    const auto word = severity == "fine" ? "ok" : severity;
    lines += fmt::format("{}{:<8}{} {:<16} {}\n", color ? mark : "", word, color ? kPlain : "", text(finding, "check"),
                         text(finding, "says"));
    if (const auto mend = text(finding, "mend"); !mend.empty()) lines += fmt::format("{:26}→ {}\n", "", mend);
  }
  return lines;
}

bool has_problem(const json::object& findings) {
  return std::ranges::any_of(list(findings, "findings"),
                             [](const json::value& f) { return text(f.as_object(), "severity") == "problem"; });
}

}  // namespace millrace::mrctl
