#include "mrload/tone.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace millrace::mrload {
namespace {

// G.711's expansion, the inverse of what is tested.
int expanded(std::uint8_t code) {
  const int bits = ~code & 0xff;
  const int magnitude = (((bits & 0x0f) << 3) + 132) << (bits >> 4 & 7);
  return bits & 0x80 ? 132 - magnitude : magnitude - 132;
}

TEST(Tone, writes_the_known_corners_of_g711) {
  EXPECT_EQ(mu_law(0), 0xff);
  EXPECT_EQ(mu_law(32'767), 0x80);
  EXPECT_EQ(mu_law(-32'768), 0x00);
}

TEST(Tone, stays_within_the_steps_of_g711) {
  for (int sample = -32'635; sample <= 32'635; sample += 7) {
    const int step = std::max(8, std::abs(sample) / 16 + 8);
    EXPECT_NEAR(expanded(mu_law(static_cast<std::int16_t>(sample))), sample, step) << sample;
  }
}

TEST(Tone, has_its_frequency_and_no_seam_between_packets) {
  std::array<std::byte, 8'000> second{};
  for (std::size_t at = 0; at < second.size(); at += 160) write_tone(440, at, std::span{second}.subspan(at, 160));
  int rising = 0, widest = 0, previous = expanded(std::to_integer<std::uint8_t>(second[0]));
  for (const auto sample : second) {
    const int value = expanded(std::to_integer<std::uint8_t>(sample));
    rising += previous < 0 && value >= 0 ? 1 : 0;
    widest = std::max(widest, std::abs(value - previous));
    previous = value;
  }
  EXPECT_NEAR(rising, 440, 1);
  EXPECT_LT(widest, 4'200);   // the steepest step of 440 Hz at this level; a seam could jump by 20,000
}

}  // namespace
}  // namespace millrace::mrload
