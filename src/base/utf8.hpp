#pragma once
// Names come off the wire with any bytes in them; JSON and protobuf are UTF-8, RFC 3629.

#include <string>
#include <string_view>

namespace millrace {

[[nodiscard]] bool is_utf8(std::string_view text);

// Each byte that belongs to no character becomes U+FFFD, so that one bad name does not spoil what it stands in.
[[nodiscard]] std::string to_utf8(std::string_view text);

}  // namespace millrace
