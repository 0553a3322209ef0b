#pragma once
// RTP fixed header, RFC 3550 §5.1. Pure: looks at bytes, keeps nothing, allocates nothing. Fields come out in host
// byte order; sizes are bytes; timestamps are ticks of the media clock.
//   |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//   |                           timestamp                           |
//   |                             SSRC                              |
//   |                    CSRC list, CC words                        |
//   |   defined by profile          | length in words | extension … |   only when X is set

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

#include "base/strong.hpp"

namespace millrace::rtp {

inline constexpr std::size_t kHeaderSize = 12;  // without CSRC list and extension

enum class ParseError : std::uint8_t { truncated, bad_version };
std::string_view describe(ParseError error);

// What the fixed header says. Enough for whoever counts packets and never looks at media.
struct Header {
  bool padded = false;  // says so; nobody has looked yet whether the padding is sound
  bool marker = false;
  PayloadType payload_type;
  Seq sequence;
  std::uint32_t timestamp = 0;
  Ssrc ssrc;
};

template <class Byte>
struct BasicPacket : Header {
  std::span<Byte> datagram;  // borrowed, whole: SRTP authenticates the header too
  std::span<Byte> payload;   // its tail, padding included: SRTP encrypts that, RFC 3711 §3.1
};
using Packet = BasicPacket<std::byte>;            // whose bytes a stage may change in place
using PacketView = BasicPacket<const std::byte>;  // to look at

// Two names and not two overloads: a vector of bytes converts to either span.
[[nodiscard]] std::expected<Packet, ParseError> parse(std::span<std::byte> datagram);
[[nodiscard]] std::expected<PacketView, ParseError> parse_view(std::span<const std::byte> datagram);

// The payload without its padding. A relay leaves padding where it is, so that datagrams keep their size; this is for
// stages that need the media. No bytes at all when the padding claims more than there is, or says 0 (its count
// includes itself, RFC 3550 §5.1): such a payload cannot be told from its padding.
template <class Byte>
[[nodiscard]] std::span<Byte> without_padding(const BasicPacket<Byte>& packet) {
  if (!packet.padded) return packet.payload;
  if (packet.payload.empty()) return {};
  const auto count = std::to_integer<std::size_t>(packet.payload.back());
  if (count == 0 || count > packet.payload.size()) return {};
  return packet.payload.first(packet.payload.size() - count);
}

}  // namespace millrace::rtp
