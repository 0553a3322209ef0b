#pragma once
// Keeps whoever is refused from filling the audit log, or from pushing older lines out of it: of one identity, or of one
// address that is nobody's, kRefusalBurst refusals at once and one a second have lines of their own; the others are
// counted and become one line. Not locked.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "access/audit_line.hpp"
#include "base/time.hpp"

namespace millrace::access {

inline constexpr int kRefusalBurst = 20;
inline constexpr std::chrono::seconds kRefusalEvery{1};
inline constexpr std::chrono::seconds kSumEvery{10};
inline constexpr std::size_t kMaxRefused = 1024;  // counted apart at a time; the rest are counted together

class RefusalSums {
 public:
  // False: it has no line of its own, and is in a sum that is due later.
  [[nodiscard]] bool take(const AuditEntry& entry, TimePoint now, WallTime at);
  // The sums whose time has come; at the end all of them.
  [[nodiscard]] std::vector<AuditRecord> due(TimePoint now, WallTime at, bool at_the_end);
  [[nodiscard]] std::size_t counted() const { return by_who_.size(); }

 private:
  struct Refused {
    TimePoint full_at{};  // when all lines that were taken have come back
    TimePoint since{};  // of the sum
    std::uint64_t more = 0;
    std::vector<AuditRecord> first{};  // of the sum; one or none
  };
  absl::flat_hash_map<std::string, Refused> by_who_;
};

}  // namespace millrace::access
