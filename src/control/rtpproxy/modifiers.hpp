#pragma once
// The letters behind `U` and `L`, and the address words: what a command says of the party that it speaks for.

#include <expected>
#include <string_view>

#include "control/rtpproxy/error_code.hpp"
#include "session/command.hpp"

namespace millrace::control::rtpproxy {

// Letters of the protocol are the same in either case; bytes that are no letters stay as they are.
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// One pass from the left; the first bad letter decides. `bridging`: there are an internal and an external interface.
[[nodiscard]] std::expected<session::PartySide, ErrorCode> decode_modifiers(std::string_view letters, bool bridging);

// ADDR and PORT, numeric, of the family that the modifiers chose. A text that is too short or too long for an address
// is no address and no error (clients write `-`): the result is then not set.
[[nodiscard]] std::expected<std::optional<net::Endpoint>, ErrorCode> decode_endpoint(std::string_view address,
                                                                                     std::string_view port, bool ipv6);

// "0,8,101". What is no payload type (RFC 3550: seven bits) is left out.
[[nodiscard]] std::vector<std::uint8_t> decode_codecs(std::string_view list);

}  // namespace millrace::control::rtpproxy
