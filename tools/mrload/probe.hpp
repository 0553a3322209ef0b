#pragma once
// The load packet: RTP as a phone sends it, with a note to ourselves in the payload, so that a few sockets can carry
// thousands of calls and every arrival still tells whose it is, which one it is and when it left. Pure.
//
//    0  RTP header, RFC 3550 §5.1: PCMU, SSRC = run | stream, sequence and timestamp contiguous      12 bytes
//   12  "MRLD" | run | stream | number, 32 bits each                                                 16
//   28  time of sending, nanoseconds since 1970, 64 bits                                              8
//   36  fill: silence
//
// All numbers in network order. A stream is one side of one call: 2 * call + side.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace millrace::mrload {

inline constexpr std::size_t kRtpHeaderSize = 12;
inline constexpr std::size_t kMinPayload = 24;
inline constexpr std::size_t kMaxPayload = 1'400;
inline constexpr std::uint32_t kMaxStreams = 1u << 24;   // what the low bits of the SSRC can tell apart
inline constexpr std::uint32_t kRunMask = ~(kMaxStreams - 1);
inline constexpr std::uint32_t kSamplesPerPacket = 160;  // 20 ms at 8 kHz

struct Probe {
  std::uint32_t run;      // low 24 bits zero, never 0 as a whole: an SSRC of 0 is special to some relays
  std::uint32_t stream;
  std::uint32_t number;   // from 0; its low 16 bits are the RTP sequence number
  std::uint64_t sent_ns;
  friend bool operator==(const Probe&, const Probe&) = default;
};

// Fills the whole datagram (at least kRtpHeaderSize + kMinPayload bytes) but for the silence.
void write_probe(const Probe& probe, std::span<std::byte> datagram);
void fill_silence(std::span<std::byte> datagram);

// Nothing when it is not a packet of ours, or when header and note contradict one another (damaged on the way).
std::optional<Probe> read_probe(std::span<const std::byte> datagram);

}  // namespace millrace::mrload
