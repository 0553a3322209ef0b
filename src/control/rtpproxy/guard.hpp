#pragma once
// What stands before and behind the commands of the text protocol: limits and the audit log. Empty hooks, the default,
// cost a command one branch.

#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "access/access.hpp"
#include "access/audit.hpp"
#include "control/frontend.hpp"

namespace millrace::control::rtpproxy {

// What a line is about, as far as the audit log wants to know. Lines that are no command change nothing.
struct Described {
  std::string command;       // the letters: "U", "U && S && L"; "?" where there are none
  std::string_view call_id;  // of `body`
  bool changes = false;      // anything but Q, I, V, G on their own
};
Described describe(std::string_view body);

struct Noted {
  std::string_view command, call_id;
  std::string_view result;  // "OK" or the number, "E72"; "-1" of a part that failed
  std::string_view reason;  // of what a guard refused
};

struct Guard {
  // May this peer send one more command now? The error is for the audit log; the peer is told E98.
  std::function<std::expected<void, std::string>(const Origin& origin, bool changes)> admit;
  // What was changed, or refused.
  std::function<void(const Origin& origin, const Noted& noted)> note;

  [[nodiscard]] bool is_there() const { return admit != nullptr || note != nullptr; }
};

// Both outlive the guard. Hooks that would do nothing stay empty.
Guard guard_of(access::Access& access, access::Audit& audit, const access::QuotaSettings& quotas,
               const std::function<Now()>& clock = read_clocks);

}  // namespace millrace::control::rtpproxy
