#include "mrload/tone.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

namespace millrace::mrload {

std::uint8_t mu_law(std::int16_t sample) {
  constexpr int kBias = 132, kClip = 32'635;   // G.711's 14-bit table, written for 16-bit samples
  const int sign = sample < 0 ? 0x80 : 0;
  const int magnitude = std::min(std::abs(static_cast<int>(sample)), kClip) + kBias;
  const auto exponent = static_cast<int>(std::bit_width(static_cast<unsigned>(magnitude))) - 8;   // 0..7
  const int mantissa = magnitude >> (exponent + 3) & 0x0f;
  return static_cast<std::uint8_t>(~(sign | exponent << 4 | mantissa));
}

void write_tone(int frequency_hz, std::uint64_t first, std::span<std::byte> samples) {
  constexpr double kAmplitude = 10'000;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto turns =
        static_cast<double>((first + i) * static_cast<std::uint64_t>(frequency_hz) % kSampleRateHz) / kSampleRateHz;
    samples[i] =
        std::byte{mu_law(static_cast<std::int16_t>(std::lround(kAmplitude * std::sin(2 * std::numbers::pi * turns))))};
  }
}

}  // namespace millrace::mrload
