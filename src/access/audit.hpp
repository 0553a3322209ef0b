#pragma once
// The record of who changed what. One JSON object a line:
//   {"time":"2026-01-31T10:02:11.120Z","identity":"ops","peer":"192.0.2.7:50312","protocol":"grpc",
//    "command":"CreateSession","session":"a1","result":"OK"}      refused: "result":"PERMISSION_DENIED","reason":"…"
// Lines are written by a thread of its own: note() may be called from any thread and waits for nobody. No secret gets
// here: callers name commands and sessions, never tokens or whole requests.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "access/settings.hpp"
#include "base/time.hpp"

namespace millrace::access {

inline constexpr std::size_t kMaxAuditWaiting = 16U << 20U;  // bytes of entries that wait; more are lost and counted
inline constexpr std::chrono::seconds kAuditRetry{1};  // how often writing is tried again, and the file looked at

// What a command is told that would change something while allows_commands() is false.
inline constexpr std::string_view kNotAudited =
    "the audit log cannot be written, and audit.required is set: nothing may be changed meanwhile";

struct AuditEntry {
  std::string_view identity;
  std::string_view peer;  // "192.0.2.7:50312", "unix:0"
  std::string_view protocol;  // "grpc", "rtpproxy", "admin"
  std::string_view command;
  std::string_view session;  // empty: none
  std::string_view result;  // "OK", or the protocol's own word for the refusal
  std::string_view reason;  // empty: none
  bool unasked = false;  // refused before it was looked at: a flood of them is summed up, see refusal_sums.hpp
};

class Audit {
 public:
  // `report`: for the log; called on the writer's thread, once when writing begins to fail and once when it works
  // again. Without a file and without the journal nothing is written and everything is allowed. Starts a thread: to be
  // called behind a fork. The error names the setting.
  static std::expected<std::unique_ptr<Audit>, std::string> open(const AuditSettings& settings,
                                                                 std::function<void(const std::string&)> report);
  virtual ~Audit() = default;

  [[nodiscard]] virtual bool enabled() const = 0;
  // False: audit.required, and lines cannot be written now; refuse what would change something.
  [[nodiscard]] virtual bool allows_commands() const = 0;
  virtual void note(const AuditEntry& entry, WallTime at) = 0;
  virtual void reopen() = 0;  // the file was moved away
  virtual void flush() = 0;  // waits until what was noted is written; at the end, in tests
  [[nodiscard]] virtual std::uint64_t lost() const = 0;  // lines that could not be written
};

}  // namespace millrace::access
