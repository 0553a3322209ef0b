#include "mrload/probe.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace millrace::mrload {
namespace {

constexpr Probe kProbe{0xab00'0000, 17, 70'000, 1'700'000'000'123'456'789};

std::vector<std::byte> packet_of(const Probe& probe, std::size_t size = 172) {
  std::vector<std::byte> datagram(size);
  fill_silence(datagram);
  write_probe(probe, datagram);
  return datagram;
}

TEST(Probe, comes_back_as_it_was_sent) { EXPECT_EQ(read_probe(packet_of(kProbe)), kProbe); }

TEST(Probe, is_rtp_that_a_relay_takes_for_a_phone) {
  const auto datagram = packet_of(kProbe);
  const std::array expected{0x80, 0x00, 70'000 >> 8 & 0xff, 70'000 & 0xff};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(std::to_integer<int>(datagram[i]), expected[i]) << i;
  EXPECT_EQ(datagram.back(), std::byte{0xff});
}

TEST(Probe, wears_the_marker_on_its_first_packet_only) {
  EXPECT_EQ(packet_of({0xab00'0000, 1, 0, 1})[1], std::byte{0x80});
  EXPECT_EQ(packet_of({0xab00'0000, 1, 1, 1})[1], std::byte{0x00});
}

TEST(Probe, is_not_read_from_what_is_shorter_foreign_or_damaged) {
  const auto good = packet_of(kProbe);
  EXPECT_FALSE(read_probe(std::span{good}.first(kRtpHeaderSize + kMinPayload - 1)));
  for (const std::size_t damaged : {0u, 2u, 3u, 9u, 12u, 17u, 20u, 27u}) {
    auto bad = good;
    bad[damaged] ^= std::byte{0x40};
    EXPECT_FALSE(read_probe(bad)) << "byte " << damaged;
  }
}

}  // namespace
}  // namespace millrace::mrload
