#pragma once
// Ticks a second of the static payload types, RFC 3551 §6 tables 4 and 5. Pure.

#include <array>
#include <cstdint>

#include "base/strong.hpp"

namespace millrace::rtp {

// 0: dynamic, reserved or unassigned; only the signalling knows those.
[[nodiscard]] constexpr std::uint32_t static_clock_rate_hz(PayloadType type) {
  constexpr std::array<std::uint32_t, 35> kRates{
      8000,  8000,  8000,  8000,  8000,   // 0 PCMU, 1 and 2 reserved (once 1016 and G.721), 3 GSM, 4 G723
      8000,  16000, 8000,  8000,  8000,   // 5 DVI4, 6 DVI4, 7 LPC, 8 PCMA, 9 G722 (a mistake that became the rule)
      44100, 44100, 8000,  8000,  90000,  // 10 L16, 11 L16, 12 QCELP, 13 CN, 14 MPA
      8000,  11025, 22050, 8000,  0,      // 15 G728, 16 DVI4, 17 DVI4, 18 G729, 19 reserved
      0,     0,     0,     0,     0,      // 20 to 23 unassigned audio, 24 unassigned video
      90000, 90000, 0,     90000, 0,      // 25 CelB, 26 JPEG, 27 unassigned, 28 nv, 29
      0,     90000, 90000, 90000, 90000,  // 30, 31 H261, 32 MPV, 33 MP2T, 34 H263
  };
  return type.value() < kRates.size() ? kRates[type.value()] : 0;
}

}  // namespace millrace::rtp
