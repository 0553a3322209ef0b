#include "rtp/header.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/testing.hpp"

namespace millrace::rtp {
namespace {

using testing::error_of;
using testing::from_hex;

struct Case {
  std::string_view name, hex;
  std::optional<ParseError> error;
};

constexpr std::array kCases{
    Case{"smallest packet", "80000007 000000a0 deadbeef", std::nullopt},
    Case{"no byte", "", ParseError::truncated},
    Case{"one byte", "80", ParseError::truncated},
    Case{"eleven bytes", "80000007 000000a0 deadbe", ParseError::truncated},
    Case{"eleven bytes of version one", "40000007 000000a0 deadbe", ParseError::truncated},
    Case{"version one", "40000007 000000a0 deadbeef", ParseError::bad_version},
    Case{"version zero, as STUN", "00010000 2112a442 deadbeef", ParseError::bad_version},
    Case{"version three", "c0000007 000000a0 deadbeef", ParseError::bad_version},
    Case{"one CSRC", "81000007 000000a0 deadbeef 00000001", std::nullopt},
    Case{"CSRC past the end", "82000007 000000a0 deadbeef 00000001", ParseError::truncated},
    Case{"empty extension", "90000007 000000a0 deadbeef bede0000", std::nullopt},
    Case{"extension of one word", "90000007 000000a0 deadbeef bede0001 10ff0000", std::nullopt},
    Case{"extension past the end", "90000007 000000a0 deadbeef bede0001", ParseError::truncated},
    Case{"half of an extension's header", "90000007 000000a0 deadbeef bede", ParseError::truncated},
    Case{"longest extension that is not there", "90000007 000000a0 deadbeef bedeffff 00", ParseError::truncated},
    Case{"padding bit without payload", "a0000007 000000a0 deadbeef", std::nullopt},
};

TEST(RtpHeader, accepts_what_rfc3550_allows_and_names_what_it_does_not) {
  for (const Case& c : kCases) {
    auto bytes = from_hex(c.hex);
    EXPECT_EQ(error_of(parse(bytes)), c.error) << c.name;
    EXPECT_EQ(error_of(parse_view(bytes)), c.error) << c.name;
  }
}

TEST(RtpHeader, fields_come_out_in_host_byte_order) {
  auto bytes = from_hex("b1e51234 89abcdef 01020304 0000002a bede0001 10ff0000 aabb0002");
  const auto packet = parse(bytes);
  ASSERT_TRUE(packet.has_value());
  EXPECT_TRUE(packet->padded);
  EXPECT_TRUE(packet->marker);
  EXPECT_EQ(packet->payload_type, PayloadType{0x65});
  EXPECT_EQ(packet->sequence, Seq{0x1234});
  EXPECT_EQ(packet->timestamp, 0x89abcdefu);
  EXPECT_EQ(packet->ssrc, Ssrc{0x01020304});
  EXPECT_EQ(packet->datagram.size(), bytes.size());
  EXPECT_EQ(packet->payload.data(), bytes.data() + 24);
  EXPECT_EQ(packet->payload.size(), 4u);
}

TEST(RtpHeader, a_stage_may_change_the_payload_in_place) {
  auto bytes = from_hex("80000007 000000a0 deadbeef 11");
  const auto packet = parse(bytes);
  ASSERT_TRUE(packet.has_value());
  packet->payload[0] = std::byte{0x22};
  EXPECT_EQ(bytes.back(), std::byte{0x22});
}

struct PaddingCase {
  std::string_view name, payload;
  std::size_t media;  // bytes left
};

constexpr std::array kPadding{
    PaddingCase{"two of four bytes", "aabb0002", 2},   PaddingCase{"one byte, the count itself", "aabbcc01", 3},
    PaddingCase{"nothing but padding", "00000004", 0}, PaddingCase{"a count of zero", "aabbcc00", 0},
    PaddingCase{"more than there is", "aabbcc05", 0},  PaddingCase{"no payload", "", 0},
};

TEST(RtpHeader, padding_is_removed_on_request_and_only_when_it_is_sound) {
  for (const PaddingCase& c : kPadding) {
    auto bytes = from_hex(std::string{"a0000007 000000a0 deadbeef"} + std::string{c.payload});
    const auto packet = parse(bytes);
    ASSERT_TRUE(packet.has_value()) << c.name;
    EXPECT_EQ(without_padding(*packet).size(), c.media) << c.name;
    EXPECT_EQ(packet->payload.size(), bytes.size() - kHeaderSize) << c.name << ": a relay keeps it";
  }
  auto plain = from_hex("80000007 000000a0 deadbeef aabb0002");
  EXPECT_EQ(without_padding(*parse(plain)).size(), 4u) << "without the bit the last byte is media";
}

TEST(RtpHeader, every_error_has_words) {
  EXPECT_FALSE(describe(ParseError::truncated).empty());
  EXPECT_NE(describe(ParseError::truncated), describe(ParseError::bad_version));
}

}  // namespace
}  // namespace millrace::rtp
