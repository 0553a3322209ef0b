#pragma once
// Errors are values. SysError is the machine's fault: which operation, on what, and errno. Network faults are
// flow::Drop, peers' and operators' faults are each protocol's own error, our own are MR_CHECK.

#include <string>

namespace millrace {

struct SysError {
  int code = 0;            // errno; 0: the operation's text says all, as for a name that does not resolve
  std::string operation;   // "bind 10.0.0.1:5060"

  [[nodiscard]] std::string message() const;  // "bind 10.0.0.1:5060: Address already in use"
};

// Takes errno as it stands.
SysError sys_error(std::string operation);

}  // namespace millrace
