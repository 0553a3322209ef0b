#include "dataplane/socket/framing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/testing.hpp"

namespace millrace::dataplane {
namespace {

using Bytes = std::vector<std::byte>;
using millrace::testing::from_hex;
using ::testing::ElementsAre;

void append_frame(Bytes& stream, const Bytes& packet) {
  const auto header = frame_header(packet.size());
  stream.insert(stream.end(), header.begin(), header.end());
  stream.insert(stream.end(), packet.begin(), packet.end());
}

// What a reader gives when the stream comes in pieces that end at `cuts`.
struct Given {
  std::vector<Bytes> packets;
  int too_long = 0;
  friend bool operator==(const Given&, const Given&) = default;
};
Given read_all(const Bytes& stream, std::size_t piece) {
  Given given;
  FrameReader reader;
  for (std::size_t at = 0; at < stream.size();) {
    const auto room = reader.room();
    EXPECT_FALSE(room.empty());
    const std::size_t count = std::min({piece, stream.size() - at, room.size()});
    std::copy_n(stream.begin() + static_cast<std::ptrdiff_t>(at), count, room.begin());
    reader.filled(count);
    at += count;
    while (const auto frame = reader.next()) {
      if (frame->too_long) {
        ++given.too_long;
      } else {
        given.packets.emplace_back(frame->bytes.begin(), frame->bytes.end());
      }
    }
  }
  return given;
}

TEST(FrameReader, gives_the_same_packets_however_the_stream_is_cut) {
  Bytes stream;
  const Bytes first = from_hex("80000007000000a0deadbeef01"), second = from_hex("80c9000100000001"), none;
  const Bytes longest(flow::kMaxDatagram, std::byte{7}), longer(flow::kMaxDatagram + 1, std::byte{8});
  const Bytes huge(65535, std::byte{9});
  for (const Bytes* packet : {&first, &none, &second, &longest, &longer, &first, &huge, &none, &second}) {
    append_frame(stream, *packet);
  }
  const Given expected{.packets = {first, second, longest, first, second}, .too_long = 2};
  for (const std::size_t piece : {1u, 2u, 3u, 7u, 100u, 1460u, 8193u, 8194u, 8195u, 65536u, 1'000'000u}) {
    EXPECT_EQ(read_all(stream, piece), expected) << "pieces of " << piece;
  }
}

TEST(FrameReader, holds_a_part_of_a_packet_until_the_rest_comes) {
  FrameReader reader;
  for (const std::string_view hex : {"00", "02", "aa"}) {
    const auto bytes = from_hex(hex);
    std::ranges::copy(bytes, reader.room().begin());
    reader.filled(bytes.size());
    EXPECT_FALSE(reader.next()) << hex;
    EXPECT_TRUE(reader.holds_some()) << hex;
  }
  reader.room()[0] = std::byte{0xbb};
  reader.filled(1);
  const auto frame = reader.next();
  ASSERT_TRUE(frame);
  EXPECT_THAT(frame->bytes, ElementsAre(std::byte{0xaa}, std::byte{0xbb}));
  EXPECT_FALSE(reader.holds_some());
}

TEST(FrameReader, has_room_for_the_rest_of_any_packet_that_has_begun) {
  FrameReader reader;
  for (;;) {   // all but the last byte of the longest packet, behind as many short ones as fit
    const auto room = reader.room();
    if (room.size() < kFrameHeader + flow::kMaxDatagram) break;
    room[0] = std::byte{0};
    room[1] = std::byte{1};
    reader.filled(3);
    ASSERT_TRUE(reader.next());
    if (room.size() < 100) break;
    const auto header = frame_header(flow::kMaxDatagram);
    std::ranges::copy(header, reader.room().begin());
    reader.filled(kFrameHeader + flow::kMaxDatagram - 1);
    ASSERT_FALSE(reader.next());
    ASSERT_FALSE(reader.room().empty());
    reader.filled(1);
    ASSERT_TRUE(reader.next());
    return;
  }
  FAIL() << "the reader never had room";
}

TEST(FrameRest, keeps_what_the_socket_did_not_take) {
  const Bytes packet = from_hex("0102030405");
  for (std::size_t sent = 0; sent <= packet.size() + kFrameHeader; ++sent) {
    FrameRest rest;
    rest.keep(frame_header(packet.size()), packet, sent);
    Bytes whole = from_hex("00050102030405");
    whole.erase(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(sent));
    EXPECT_THAT(rest.bytes(), ::testing::ElementsAreArray(whole)) << sent;
    while (!rest.empty()) rest.sent(1);
    EXPECT_TRUE(rest.bytes().empty());
  }
}

}  // namespace
}  // namespace millrace::dataplane
