#pragma once
// Packets on a stream, RFC 4571: each behind its length.
//
//   | length, 16 bits, big-endian | that many bytes: one RTP or RTCP packet |
//
// Sans-I/O: bytes in, packets out, and the other way round. Bounded: a reader holds what one read brought, a writer one
// packet that the socket did not take whole. No allocation.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "flow/plan.hpp"

namespace millrace::dataplane {

inline constexpr std::size_t kFrameHeader = 2;

struct Frame {
  std::span<std::byte> bytes;  // borrowed from the reader until its next room()
  bool too_long = false;  // more than kMaxDatagram: `bytes` is empty, the reader skips it and stays in step
};

class FrameReader {
 public:
  // Where the next bytes of the stream go; call filled() with how many came. Never empty once next() has given all.
  [[nodiscard]] std::span<std::byte> room();
  void filled(std::size_t count) { end_ += count; }
  // The next packet; nothing: more bytes are needed. Empty packets are no packets (RFC 4571 §2 allows them as filler).
  [[nodiscard]] std::optional<Frame> next();
  // Bytes that next() has not given yet: a part of a packet, or packets that nobody has asked for.
  [[nodiscard]] bool holds_some() const { return end_ != begin_ || skip_ != 0; }
  void clear() { begin_ = end_ = skip_ = 0; }

 private:
  std::array<std::byte, 2 * (kFrameHeader + flow::kMaxDatagram)> bytes_;
  std::size_t begin_ = 0, end_ = 0;
  std::size_t skip_ = 0;  // of a packet that is too long
};

// What is left of a packet whose first bytes have been sent.
class FrameRest {
 public:
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return std::span{bytes_}.subspan(begin_, end_ - begin_); }
  // Of header and packet `sent` bytes are gone.
  void keep(std::span<const std::byte, kFrameHeader> header, std::span<const std::byte> packet, std::size_t sent);
  void sent(std::size_t count) { begin_ += count; }
  void clear() { begin_ = end_ = 0; }

 private:
  std::array<std::byte, kFrameHeader + flow::kMaxDatagram> bytes_;
  std::size_t begin_ = 0, end_ = 0;
};

[[nodiscard]] constexpr std::array<std::byte, kFrameHeader> frame_header(std::size_t size) {
  return {static_cast<std::byte>(size >> 8), static_cast<std::byte>(size)};
}

}  // namespace millrace::dataplane
