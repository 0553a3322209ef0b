#include "net/settings.hpp"

#include <fmt/format.h>

#include "base/parse.hpp"

namespace millrace::config {

std::expected<net::Address, std::string> Text<net::Address>::parse(std::string_view text) {
  if (const auto address = net::Address::parse(text)) return *address;
  return std::unexpected{fmt::format("\"{}\" is no IP address", text)};
}

std::expected<net::PortRange, std::string> Text<net::PortRange>::parse(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_number<std::uint16_t>(text.substr(0, dash));
  const auto last = parse_number<std::uint16_t>(dash == std::string_view::npos ? "" : text.substr(dash + 1));
  if (first.value_or(0) == 0 || !last) return std::unexpected{fmt::format("\"{}\" is no port range", text)};
  // In int: 65535 has no even port above it.
  const int first_rtp = *first + *first % 2;
  const int last_rtp = *last % 2 == 1 ? *last - 1 : *last - 2;
  if (first_rtp > last_rtp) return std::unexpected{fmt::format("\"{}\" has no room for a pair of ports", text)};
  return net::PortRange{static_cast<std::uint16_t>(first_rtp), static_cast<std::uint16_t>(last_rtp)};
}

std::string Text<net::PortRange>::print(const net::PortRange& range) {
  return fmt::format("{}-{}", range.first, range.last + 1);
}

}  // namespace millrace::config
