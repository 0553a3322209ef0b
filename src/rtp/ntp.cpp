#include "rtp/ntp.hpp"

namespace millrace::rtp {
namespace {

constexpr std::int64_t kUnixEpoch = 2'208'988'800;  // in NTP seconds: 70 years with 17 leap days
constexpr std::int64_t kEra = std::int64_t{1} << 32;
constexpr std::uint64_t kSecond = 1'000'000'000;  // ns

}  // namespace

NtpTime to_ntp(WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto ns = static_cast<std::uint64_t>((time - whole).count());
  return {.seconds = static_cast<std::uint32_t>(whole.time_since_epoch().count() + kUnixEpoch),
          .fraction = static_cast<std::uint32_t>((ns << 32) / kSecond)};
}

WallTime from_ntp(NtpTime time) {
  const bool second_era = time.seconds < 0x80000000u;
  const auto seconds = static_cast<std::int64_t>(time.seconds) + (second_era ? kEra : 0) - kUnixEpoch;
  const auto ns = static_cast<std::int64_t>((time.fraction * kSecond + 0x80000000u) >> 32);  // rounded
  return WallTime{std::chrono::seconds{seconds} + Nanoseconds{ns}};
}

}  // namespace millrace::rtp
