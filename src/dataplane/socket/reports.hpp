#pragma once
// What RTCP tells on its way through: how well a peer receives what we send it, and how far away it is. The peer's
// clock does not matter: we know when its sender report's copy left here, and the other side says for how long it had
// it (RFC 3550 §6.4.1). Bad RTCP is nobody's business here; it is relayed as it came. Pure, allocates nothing.
//
//   offerer ── SR ──► here, passed on at t ──► answerer
//                     here, at t' ◄── RR: last SR, delay since ── answerer        round trip = t' - t - delay

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/time.hpp"

namespace millrace::dataplane {

// The last sender report of one side.
struct PassedReport {
  TimePoint at{};
  std::uint32_t middle = 0;  // of its NTP time; report blocks name it by that
  bool known = false;
};

struct MediaPort;

// An RTCP datagram that came on `port` at `arrived`; `passed`: and leaves now.
void note_reports(MediaPort& port, std::span<const std::byte> bytes, TimePoint arrived, bool passed);

}  // namespace millrace::dataplane
