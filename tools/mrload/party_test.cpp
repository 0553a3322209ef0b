#include "mrload/party.hpp"

#include <gtest/gtest.h>

namespace millrace::mrload {
namespace {

using namespace std::chrono_literals;
constexpr WallTime kNow{1'700'000'000s};

TEST(Party, counts_what_arrives_whole_and_how_long_it_took) {
  Party party{0x1234, 440};
  const auto first = party.next_packet(kNow), second = party.next_packet(kNow + 20ms);
  ASSERT_EQ(first.size(), 172u);
  party.heard(second, kNow + 22ms);
  party.heard(first, kNow + 23ms);
  EXPECT_TRUE(party.all_heard());
  EXPECT_EQ(party.counts().damaged, 0u);
  EXPECT_EQ(party.counts().delay.max(), 23ms);
}

TEST(Party, notices_wrong_sound_strangers_and_duplicates) {
  Party party{0x1234, 440}, other{0x9999, 660};
  const auto good = party.next_packet(kNow);
  auto bad = good;
  bad.back() ^= std::byte{1};
  party.heard(bad, kNow);
  party.heard(other.next_packet(kNow), kNow);
  party.heard(std::span{good}.first(171), kNow);
  party.heard({}, kNow);
  EXPECT_EQ(party.counts().heard, 0u);
  EXPECT_EQ(party.counts().damaged, 4u);
  party.heard(good, kNow);
  party.heard(good, kNow);
  EXPECT_EQ(party.counts().heard, 1u);
  EXPECT_EQ(party.counts().damaged, 5u);
}

TEST(Party, writes_a_compound_rtcp_packet_of_whole_words) {
  Party party{0x1234, 440};
  (void)party.next_packet(kNow);
  const auto report = party.report(kNow);
  ASSERT_EQ(report.size(), 28u + 24u);   // RFC 3550 §6.4.1 and §6.5
  EXPECT_EQ(report[1], std::byte{200});
  EXPECT_EQ(report[29], std::byte{202});
  EXPECT_EQ(report[8], std::byte{0xe8});   // 1,700,000,000 s after 1970, in seconds since 1900: 0xe8fe6380
  party.report_heard(report);
  party.report_heard(std::span{report}.first(3));
  EXPECT_EQ(party.counts().reports_heard, 1u);
  EXPECT_EQ(party.counts().damaged, 1u);
}

}  // namespace
}  // namespace millrace::mrload
