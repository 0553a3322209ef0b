#pragma once
// For tests alone: bytes written as hex, and the error of an expected.

#include <cstddef>
#include <expected>
#include <optional>
#include <string_view>
#include <vector>

namespace millrace::testing {

// "80 00 00 07 deadbeef" → bytes; spaces are ignored.
inline std::vector<std::byte> from_hex(std::string_view hex) {
  std::vector<std::byte> bytes;
  int high = -1;
  for (const char c : hex) {
    if (c == ' ' || c == '\n') continue;
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<std::byte>(high << 4 | digit));
      high = -1;
    }
  }
  return bytes;
}

template <class T, class E>
std::optional<E> error_of(const std::expected<T, E>& result) {
  return result ? std::nullopt : std::optional<E>{result.error()};
}

}  // namespace millrace::testing
