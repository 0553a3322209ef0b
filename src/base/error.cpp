#include "base/error.hpp"

#include <cerrno>
#include <system_error>

namespace millrace {

std::string SysError::message() const {
  return code == 0 ? operation : operation + ": " + std::generic_category().message(code);
}

SysError sys_error(std::string operation) {
  const int code = errno;
  return {.code = code, .operation = std::move(operation)};
}

}  // namespace millrace
