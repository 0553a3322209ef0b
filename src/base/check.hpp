#pragma once
// MR_CHECK: a condition that only our own mistake can break. The process stops and says where; bad input never ends
// here (it is a Drop, a ProtocolError or a SysError).

namespace millrace {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}  // namespace millrace

#define MR_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::millrace::check_failed(#condition, __FILE__, __LINE__))
