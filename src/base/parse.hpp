#pragma once
// Numbers out of text. Whole text or nothing: "12x", "", "+1" and out-of-range are no numbers.

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

namespace millrace {

template <std::integral Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text, int base = 10) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace millrace
