#pragma once
// One side of the demo call, without sockets: writes its RTP and RTCP, checks what the other side hears of it.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/time.hpp"
#include "mrload/histogram.hpp"

namespace millrace::mrload {

class Party {
 public:
  static constexpr std::size_t kSamples = 160;   // 20 ms
  static constexpr std::size_t kPacketSize = 12 + kSamples;

  Party(std::uint32_t ssrc, int frequency_hz) : ssrc_{ssrc}, frequency_hz_{frequency_hz} {}

  // The next 20 ms of the tone.
  std::vector<std::byte> next_packet(WallTime now);
  // Sender report and the CNAME that RFC 3550 §6.1 asks for in each compound packet.
  std::vector<std::byte> report(WallTime now);

  // The far end got something; `at` is the kernel's stamp.
  void heard(std::span<const std::byte> datagram, WallTime at);
  void report_heard(std::span<const std::byte> datagram);

  struct Counts {
    std::uint64_t sent = 0, heard = 0;               // packets, each once
    std::uint64_t damaged = 0;                       // not what was sent: another SSRC, other sound, twice
    std::uint64_t reports_sent = 0, reports_heard = 0;
    Histogram delay;
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] bool all_heard() const {
    return counts_.heard == counts_.sent && counts_.reports_heard == counts_.reports_sent;
  }

 private:
  std::uint32_t ssrc_;
  int frequency_hz_;
  struct Sent {
    WallTime at;
    bool heard = false;
  };
  std::vector<Sent> sent_;   // by sequence number: the demo is short
  Counts counts_;
};

}  // namespace millrace::mrload
