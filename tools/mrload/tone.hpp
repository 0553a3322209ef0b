#pragma once
// A tone in PCMU, so that whoever listens in on the demo call hears which side is which. Pure.

#include <cstddef>
#include <cstdint>
#include <span>

namespace millrace::mrload {

inline constexpr int kSampleRateHz = 8'000;

// ITU-T G.711 µ-law of a 16-bit sample.
std::uint8_t mu_law(std::int16_t sample);

// Samples `first`, `first` + 1, ... of a sine at about -10 dBFS. A function of the sample's number alone, so that the
// receiver can work out what it must get.
void write_tone(int frequency_hz, std::uint64_t first, std::span<std::byte> samples);

}  // namespace millrace::mrload
