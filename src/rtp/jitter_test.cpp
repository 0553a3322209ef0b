#include "rtp/jitter.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string_view>
#include <vector>

#include "rtp/clock_rate.hpp"

namespace millrace::rtp {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kStart{std::chrono::seconds{1'800'000'000}};

struct Sample {
  std::chrono::microseconds arrival;
  std::uint32_t timestamp;
};
struct Case {
  std::string_view name;
  std::vector<Sample> packets;
  double last, max, average;  // ticks at 8000 Hz
};

const std::array kCases{
    Case{"one packet says nothing", {{0ms, 0}}, 0, 0, 0},
    Case{"a steady stream has none", {{0ms, 0}, {20ms, 160}, {40ms, 320}, {60ms, 480}}, 0, 0, 0},
    Case{"2 ms late: 16 ticks, a sixteenth of it", {{0ms, 0}, {22ms, 160}}, 1, 1, 1},
    Case{"late, then back: both differences count", {{0ms, 0}, {22ms, 160}, {40ms, 320}}, 1.9375, 1.9375, 1.46875},
    Case{"early counts as late does", {{0ms, 0}, {18ms, 160}}, 1, 1, 1},
    Case{"it fades", {{0ms, 0}, {22ms, 160}, {42ms, 320}}, 0.9375, 1, 0.96875},
    Case{"the timestamp wraps", {{0ms, 0xffffffb0}, {20ms, 0x50}}, 0, 0, 0},
    Case{"silence of an hour, media time went on", {{0ms, 0}, {3600s, 28'800'000}}, 0, 0, 0},
    Case{"a hold of an hour, media time stood still", {{0ms, 0}, {3600s, 160}, {3600s + 22ms, 320}}, 1, 1, 1},
    Case{"the wall clock stepped back", {{0ms, 0}, {-60s, 160}, {-60s + 20ms, 320}}, 0, 0, 0},
    Case{"reordered packets are differences too", {{0ms, 0}, {40ms, 320}, {41ms, 160}}, 10.5, 10.5, 5.25},
};

TEST(Jitter, follows_rfc3550_in_ticks_of_the_media_clock) {
  for (const Case& c : kCases) {
    Jitter jitter;
    for (const Sample& packet : c.packets) jitter.update(packet.timestamp, 8000, kStart + packet.arrival);
    EXPECT_NEAR(jitter.last(), c.last, 1e-6) << c.name;
    EXPECT_NEAR(jitter.max(), c.max, 1e-6) << c.name;
    EXPECT_NEAR(jitter.average(), c.average, 1e-6) << c.name;
  }
}

TEST(Jitter, another_source_begins_at_zero_and_keeps_the_maximum) {
  Jitter jitter;
  jitter.update(0, 8000, kStart);
  jitter.update(160, 8000, kStart + 22ms);
  jitter.restart_source();
  jitter.update(77, 8000, kStart + 1s);
  EXPECT_EQ(jitter.last(), 0);
  EXPECT_NEAR(jitter.max(), 1, 1e-6);
}

TEST(Jitter, two_clocks_are_never_subtracted) {
  Jitter jitter;
  jitter.update(0, 8000, kStart);
  jitter.update(500, 16000, kStart + 20ms);
  EXPECT_EQ(jitter.last(), 0);
  jitter.update(820, 16000, kStart + 41ms);
  EXPECT_NEAR(jitter.last(), 1, 1e-6);
}

struct RateCase {
  std::string_view name;
  std::uint8_t type;
  std::uint32_t rate_hz;
};

constexpr std::array kRates{
    RateCase{"PCMU", 0, 8000},
    RateCase{"GSM", 3, 8000},
    RateCase{"DVI4 at 16 kHz", 6, 16000},
    RateCase{"PCMA", 8, 8000},
    RateCase{"G722", 9, 8000},
    RateCase{"L16 stereo", 10, 44100},
    RateCase{"MPA", 14, 90000},
    RateCase{"DVI4 at 22 kHz", 17, 22050},
    RateCase{"G729", 18, 8000},
    RateCase{"reserved", 19, 0},
    RateCase{"unassigned", 24, 0},
    RateCase{"CelB", 25, 90000},
    RateCase{"H261", 31, 90000},
    RateCase{"H263", 34, 90000},
    RateCase{"unassigned", 35, 0},
    RateCase{"dynamic", 96, 0},
    RateCase{"last dynamic", 127, 0},
};

TEST(ClockRate, static_payload_types_have_the_rate_of_rfc3551_and_dynamic_ones_none) {
  for (const RateCase& c : kRates) EXPECT_EQ(static_clock_rate_hz(PayloadType{c.type}), c.rate_hz) << c.name;
}

}  // namespace
}  // namespace millrace::rtp
