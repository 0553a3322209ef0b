#include "rtp/header.hpp"

#include "base/byte_reader.hpp"

namespace millrace::rtp {
namespace {

template <class Byte>
std::expected<BasicPacket<Byte>, ParseError> parse_any(std::span<Byte> datagram) {
  BasicByteReader<Byte> in{datagram};
  const auto first = in.u8();
  const auto second = in.u8();
  const Seq sequence{in.u16()};
  const auto timestamp = in.u32();
  const Ssrc ssrc{in.u32()};
  if (in.ok() && first >> 6 != 2) return std::unexpected{ParseError::bad_version};
  in.skip(4u * (first & 0x0f));  // CSRC list
  if ((first & 0x10) != 0) {     // header extension, §5.3.1
    in.skip(2);
    in.skip(4u * in.u16());
  }
  if (!in.ok()) return std::unexpected{ParseError::truncated};
  const Header header{.padded = (first & 0x20) != 0,
                      .marker = (second & 0x80) != 0,
                      .payload_type = PayloadType(second & 0x7f),
                      .sequence = sequence,
                      .timestamp = timestamp,
                      .ssrc = ssrc};
  return BasicPacket<Byte>{header, datagram, in.rest()};
}

}  // namespace

std::string_view describe(ParseError error) {
  return error == ParseError::truncated ? "shorter than its header says" : "not RTP version 2";
}

std::expected<Packet, ParseError> parse(std::span<std::byte> datagram) { return parse_any(datagram); }

std::expected<PacketView, ParseError> parse_view(std::span<const std::byte> datagram) { return parse_any(datagram); }

}  // namespace millrace::rtp
