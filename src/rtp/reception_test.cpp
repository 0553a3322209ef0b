#include "rtp/reception.hpp"

#include <gtest/gtest.h>

namespace millrace::rtp {
namespace {

using namespace std::chrono_literals;
using Arrival = SequenceTracker::Arrival;

constexpr WallTime kStart{std::chrono::seconds{1'800'000'000}};

Header packet(std::uint16_t sequence, std::uint32_t timestamp, std::uint8_t type = 0, std::uint32_t ssrc = 7) {
  return {.payload_type = PayloadType{type}, .sequence = Seq{sequence}, .timestamp = timestamp, .ssrc = Ssrc{ssrc}};
}

TEST(Reception, knows_nothing_before_the_first_packet) {
  const Reception reception;
  EXPECT_EQ(reception.payload_type(), std::nullopt);
  EXPECT_EQ(reception.sequence().ssrc(), std::nullopt);
  EXPECT_EQ(reception.sequence().totals().expected, 0u);
  EXPECT_EQ(reception.jitter().last(), 0);
}

TEST(Reception, joins_numbers_and_jitter) {
  Reception reception;
  EXPECT_EQ(reception.update(packet(10, 0), kStart), Arrival::new_run);
  EXPECT_EQ(reception.update(packet(11, 160), kStart + 22ms), Arrival::in_order);
  EXPECT_EQ(reception.update(packet(13, 480, 8), kStart + 62ms), Arrival::in_order);
  EXPECT_EQ(reception.sequence().totals().lost(), 1u);
  EXPECT_EQ(reception.payload_type(), PayloadType{8});
  EXPECT_NEAR(reception.jitter().max(), 1, 1e-6);
}

TEST(Reception, a_copy_does_not_count_as_jitter) {
  Reception reception;
  reception.update(packet(10, 0), kStart);
  reception.update(packet(11, 160), kStart + 20ms);
  EXPECT_EQ(reception.update(packet(11, 160), kStart + 35ms), Arrival::duplicate);
  reception.update(packet(12, 320), kStart + 40ms);
  EXPECT_EQ(reception.jitter().max(), 0);
}

TEST(Reception, events_amid_audio_do_not_disturb_its_jitter) {
  Reception reception;
  reception.update(packet(10, 0), kStart);
  for (std::uint16_t n = 11; n < 16; ++n) reception.update(packet(n, 160, 101), kStart + (n - 10) * 20ms);
  reception.update(packet(16, 960), kStart + 120ms);
  EXPECT_EQ(reception.jitter().max(), 0);
}

TEST(Reception, dynamic_types_have_jitter_only_with_a_rate) {
  Reception unknown;
  Reception opus{48000};
  for (Reception* reception : {&unknown, &opus}) {
    reception->update(packet(10, 0, 111), kStart);
    reception->update(packet(11, 960, 111), kStart + 21ms);
  }
  EXPECT_EQ(unknown.jitter().last(), 0);
  EXPECT_NEAR(opus.jitter().last(), 3, 1e-6);  // 48 ticks late
}

TEST(Reception, another_run_of_the_same_source_keeps_its_estimate) {
  Reception reception;
  reception.update(packet(10, 0), kStart);
  reception.update(packet(11, 160), kStart + 22ms);
  reception.update(packet(5000, 7'000'000), kStart + 1s);
  EXPECT_NEAR(reception.jitter().last(), 1, 1e-6);
  reception.update(packet(6, 99, 0, 8), kStart + 2s);
  EXPECT_EQ(reception.jitter().last(), 0);
  EXPECT_NEAR(reception.jitter().max(), 1, 1e-6);
  EXPECT_EQ(reception.sequence().ssrc_count(), 2u);
}

}  // namespace
}  // namespace millrace::rtp
