#include "mrload/party.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/byte_reader.hpp"
#include "mrload/tone.hpp"

namespace millrace::mrload {
namespace {

constexpr std::uint32_t kSenderReport = 200, kSourceDescription = 202, kCname = 1;
constexpr std::string_view kName = "demo@mrload";  // with its two-byte head and the end marker: 16 bytes
constexpr std::uint64_t kNtpEpoch = 2'208'988'800;  // seconds from 1900 to 1970

void put(std::vector<std::byte>& out, std::uint32_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(value >> shift));
}

}  // namespace

std::vector<std::byte> Party::next_packet(WallTime now) {
  std::vector<std::byte> packet;
  const auto number = static_cast<std::uint32_t>(sent_.size());
  put(packet, 0x80, 1);
  put(packet, number == 0 ? 0x80 : 0, 1);
  put(packet, number, 2);
  put(packet, static_cast<std::uint32_t>(number * kSamples), 4);
  put(packet, ssrc_, 4);
  packet.resize(kPacketSize);
  write_tone(frequency_hz_, number * kSamples, std::span{packet}.subspan(12));
  sent_.push_back({now});
  ++counts_.sent;
  return packet;
}

std::vector<std::byte> Party::report(WallTime now) {
  const auto since_1970 = now.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_1970);
  const auto fraction =
      static_cast<std::uint64_t>((since_1970 - seconds).count()) * (std::uint64_t{1} << 32) / 1'000'000'000;
  std::vector<std::byte> packet;
  put(packet, 0x80, 1);
  put(packet, kSenderReport, 1);
  put(packet, 6, 2);
  put(packet, ssrc_, 4);
  put(packet, static_cast<std::uint32_t>(static_cast<std::uint64_t>(seconds.count()) + kNtpEpoch), 4);
  put(packet, static_cast<std::uint32_t>(fraction), 4);
  put(packet, static_cast<std::uint32_t>(sent_.size() * kSamples), 4);
  put(packet, static_cast<std::uint32_t>(sent_.size()), 4);
  put(packet, static_cast<std::uint32_t>(sent_.size() * kSamples), 4);
  put(packet, 0x81, 1);
  put(packet, kSourceDescription, 1);
  put(packet, 5, 2);
  put(packet, ssrc_, 4);
  put(packet, kCname, 1);
  put(packet, static_cast<std::uint32_t>(kName.size()), 1);
  for (const char c : kName) packet.push_back(static_cast<std::byte>(c));
  put(packet, 0, 3);
  ++counts_.reports_sent;
  return packet;
}

void Party::heard(std::span<const std::byte> datagram, WallTime at) {
  ConstByteReader in{datagram};
  in.skip(2);
  const auto number = in.u16();
  in.skip(4);
  const auto ssrc = in.u32();
  std::array<std::byte, kSamples> tone{};
  write_tone(frequency_hz_, number * kSamples, tone);
  const bool whole = in.ok() && ssrc == ssrc_ && number < sent_.size() && std::ranges::equal(in.rest(), tone);
  if (!whole || sent_[number].heard) {
    ++counts_.damaged;
    return;
  }
  sent_[number].heard = true;
  ++counts_.heard;
  counts_.delay.add(at - sent_[number].at);
}

void Party::report_heard(std::span<const std::byte> datagram) {
  ConstByteReader in{datagram};
  in.skip(1);
  const auto type = in.u8();
  in.skip(2);
  if (type == kSenderReport && in.u32() == ssrc_ && in.ok()) {
    ++counts_.reports_heard;
  } else {
    ++counts_.damaged;
  }
}

}  // namespace millrace::mrload
