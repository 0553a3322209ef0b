#pragma once
// RTP or RTCP? When both come on one port, the second byte tells: RTCP's packet type lies where RTP has its marker
// and payload type, RFC 5761 §4. Pure.

#include <cstddef>
#include <cstdint>
#include <span>

namespace millrace::rtp {

// RTCP packet types that RFC 5761 §4 sets apart: as RTP they would be a marker with payload type 64 to 95, which
// nobody may use beside RTCP. The text protocol's reference draws the line tighter, at 200 to 213; no payload type
// that is in use (0 to 34, 96 to 127) falls between the two, so one rule serves both.
inline constexpr std::uint8_t kFirstRtcpType = 192;
inline constexpr std::uint8_t kLastRtcpType = 223;
inline constexpr std::size_t kRtcpHeaderSize = 4;

[[nodiscard]] constexpr bool is_rtcp(std::span<const std::byte> datagram) {
  if (datagram.size() < kRtcpHeaderSize || std::to_integer<unsigned>(datagram[0]) >> 6 != 2) return false;
  const auto type = std::to_integer<std::uint8_t>(datagram[1]);
  return type >= kFirstRtcpType && type <= kLastRtcpType;
}

}  // namespace millrace::rtp
