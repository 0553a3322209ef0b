#pragma once
// NTP timestamps as RTCP carries them, RFC 3550 §4: seconds since 1900 and a binary fraction. Pure.

#include <cstdint>

#include "base/time.hpp"

namespace millrace::rtp {

struct NtpTime {
  std::uint32_t seconds = 0;   // since 1900-01-01, modulo 2^32: starts again in 2036
  std::uint32_t fraction = 0;  // of a second, in 2^-32

  // The middle 32 bits, units of 2^-16 s: what "last SR" of a report block repeats.
  [[nodiscard]] constexpr std::uint32_t middle() const { return seconds << 16 | fraction >> 16; }
  friend constexpr bool operator==(const NtpTime&, const NtpTime&) = default;
};

[[nodiscard]] NtpTime to_ntp(WallTime time);
// Times from 1968 to 2036 have the topmost bit; without it the second era is meant, up to 2104 (RFC 4330 §3).
[[nodiscard]] WallTime from_ntp(NtpTime time);

}  // namespace millrace::rtp
