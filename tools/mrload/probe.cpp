#include "mrload/probe.hpp"

#include <algorithm>

#include "base/byte_reader.hpp"
#include "base/check.hpp"

namespace millrace::mrload {
namespace {

constexpr std::uint32_t kMagic = 0x4d52'4c44;   // "MRLD"
constexpr std::byte kPcmuSilence{0xff};

class Writer {
 public:
  explicit Writer(std::span<std::byte> bytes) : at_{bytes.data()} {}
  void u8(std::uint32_t value) { *at_++ = static_cast<std::byte>(value); }
  void u16(std::uint32_t value) { u8(value >> 8), u8(value); }
  void u32(std::uint32_t value) { u16(value >> 16), u16(value); }
  void u64(std::uint64_t value) {
    u32(static_cast<std::uint32_t>(value >> 32)), u32(static_cast<std::uint32_t>(value));
  }

 private:
  std::byte* at_;
};

}  // namespace

void write_probe(const Probe& probe, std::span<std::byte> datagram) {
  MR_CHECK(datagram.size() >= kRtpHeaderSize + kMinPayload);
  Writer out{datagram};
  out.u8(0x80);
  out.u8(probe.number == 0 ? 0x80 : 0);   // marker on the first packet of the talk spurt, RFC 3551 §4.1
  out.u16(probe.number);
  out.u32(probe.number * kSamplesPerPacket);
  out.u32(probe.run | probe.stream);
  out.u32(kMagic);
  out.u32(probe.run);
  out.u32(probe.stream);
  out.u32(probe.number);
  out.u64(probe.sent_ns);
}

void fill_silence(std::span<std::byte> datagram) { std::ranges::fill(datagram, kPcmuSilence); }

std::optional<Probe> read_probe(std::span<const std::byte> datagram) {
  ConstByteReader in{datagram};
  const auto first = in.u8();
  in.skip(1);
  const auto sequence = in.u16();
  in.skip(4);
  const auto ssrc = in.u32(), magic = in.u32();
  const auto run = in.u32(), stream = in.u32(), number = in.u32();
  const auto sent_ns = in.u64();
  if (!in.ok() || first != 0x80 || magic != kMagic) return std::nullopt;
  if (ssrc != (run | stream) || sequence != (number & 0xffff)) return std::nullopt;
  return Probe{run, stream, number, sent_ns};
}

}  // namespace millrace::mrload
