#include "access/audit_line.hpp"

#include <fmt/format.h>
#include <syslog.h>

#include <array>
#include <boost/json.hpp>
#include <utility>

#include "base/utf8.hpp"

namespace millrace::access {
namespace {

constexpr std::string_view kCut = "\xe2\x80\xa6";  // "…"

std::string bounded(std::string_view text) {
  if (text.size() <= kMaxAuditText) return std::string{text};
  return std::string{text.substr(0, kMaxAuditText)}.append(kCut);
}

// "2026-01-31T10:02:11.120Z".
std::string utc_text(WallTime time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date{day};
  return fmt::format("{:04}-{:02}-{:02}T{}Z", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock_text(time));
}

}  // namespace

AuditRecord::AuditRecord(const AuditEntry& entry, WallTime when)
    : at{when},
      identity{bounded(entry.identity)},
      peer{bounded(entry.peer)},
      protocol{bounded(entry.protocol)},
      command{bounded(entry.command)},
      session{bounded(entry.session)},
      result{bounded(entry.result)},
      reason{bounded(entry.reason)} {}

std::size_t AuditRecord::size() const {
  return sizeof *this + identity.size() + peer.size() + protocol.size() + command.size() + session.size() +
         result.size() + reason.size();
}

std::string json_line(const AuditRecord& record) {
  boost::json::object line{{"time", utc_text(record.at)},
                           {"identity", to_utf8(record.identity)},
                           {"peer", to_utf8(record.peer)},
                           {"protocol", to_utf8(record.protocol)},
                           {"command", to_utf8(record.command)}};
  if (!record.session.empty()) line["session"] = to_utf8(record.session);
  line["result"] = to_utf8(record.result);
  if (!record.reason.empty()) line["reason"] = to_utf8(record.reason);
  return boost::json::serialize(line) + '\n';
}

// The journal takes any bytes in a field; the message is for people.
std::vector<std::string> journal_fields(const AuditRecord& record) {
  auto message = fmt::format("{} {} by {} from {}: {}", record.command, record.session, record.identity, record.peer,
                             record.result);
  if (record.session.empty()) message.erase(record.command.size(), 1);
  if (!record.reason.empty()) message += ": " + record.reason;
  std::vector<std::string> fields{"MESSAGE=" + to_utf8(message), fmt::format("PRIORITY={}", LOG_NOTICE),
                                  fmt::format("MILLRACE_TIME={}", utc_text(record.at))};
  const std::array<std::pair<std::string_view, const std::string&>, 7> named{{{"IDENTITY", record.identity},
                                                                              {"PEER", record.peer},
                                                                              {"PROTOCOL", record.protocol},
                                                                              {"COMMAND", record.command},
                                                                              {"SESSION", record.session},
                                                                              {"RESULT", record.result},
                                                                              {"REASON", record.reason}}};
  for (const auto& [name, value] : named) {
    if (!value.empty()) fields.push_back(fmt::format("MILLRACE_{}={}", name, value));
  }
  return fields;
}

}  // namespace millrace::access
