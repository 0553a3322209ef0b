#pragma once
// An audit entry as text: a JSON line for the file, named fields for the journal. Pure.

#include <string>
#include <vector>

#include "access/audit.hpp"

namespace millrace::access {

inline constexpr std::size_t kMaxAuditText = 4096;  // bytes of one text; what is longer is cut and ends in "…"

// What is kept of an entry until it is written.
struct AuditRecord {
  AuditRecord(const AuditEntry& entry, WallTime when);
  [[nodiscard]] std::size_t size() const;  // bytes, for the bound of what waits

  WallTime at;
  std::string identity, peer, protocol, command, session, result, reason;
};

// One line with its end. Names of any bytes give valid JSON.
std::string json_line(const AuditRecord& record);

// "MESSAGE=…", "MILLRACE_IDENTITY=…", …, for sd_journal_sendv.
std::vector<std::string> journal_fields(const AuditRecord& record);

}  // namespace millrace::access
