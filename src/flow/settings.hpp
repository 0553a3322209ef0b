#pragma once
// What the operator says of packets on their way, whoever carries them.

#include <chrono>
#include <cstdint>

#include "config/schema.hpp"
#include "flow/latching.hpp"

namespace millrace::flow {

struct LatchingSettings {
  LatchPolicy policy = LatchPolicy::safe;
  std::chrono::milliseconds window{1000};
  std::chrono::milliseconds relatch_after{200};

  static constexpr auto schema = config::section(
      "latching", "Where a packet's source is trusted.",
      config::field("policy", &LatchingSettings::policy, "safe|reference|strict",
                    "safe: learn at once, prefer what was signalled, then lock; reference: as rtpproxy does; "
                    "strict: the signalled address alone",
                    config::live),
      config::field("window", &LatchingSettings::window, "0s|10ms..60s",
                    "safe: how long after the first packet a better source may take over", config::live),
      config::field("relatch_after", &LatchingSettings::relatch_after, "10ms..60s",
                    "safe: silence of a locked source before the same stream may go on from elsewhere", config::live));
};

struct LimitSettings {
  std::uint32_t packets_per_second = 0;
  std::uint64_t bits_per_second = 0;
  std::chrono::milliseconds burst{1000};

  static constexpr auto schema = config::section(
      "limits", "What each side of a connection may send, whichever protocol made it.",
      config::field("packets_per_second", &LimitSettings::packets_per_second, "",
                    "Packets of one side, RTP and RTCP together; more are dropped and counted. 0: no limit",
                    config::live),
      config::field("bits_per_second", &LimitSettings::bits_per_second, "",
                    "Bits of one side, without UDP and IP headers; a TCP session is slowed down to it. 0: no limit",
                    config::live),
      config::field("burst", &LimitSettings::burst, "10ms..60s", "How much of a limit may be used at once",
                    config::live));
};

struct RelaySettings {
  std::uint8_t tos = 184;
  std::uint8_t ttl = 0;
  bool double_small = false;

  static constexpr auto schema = config::section(
      "relay", "How relayed packets leave.",
      config::field("tos", &RelaySettings::tos, "", "IPv4 TOS and IPv6 traffic class; 184 is DSCP EF", config::live),
      config::field("ttl", &RelaySettings::ttl, "", "Time to live; 0: the system's", config::live),
      config::field("double_small", &RelaySettings::double_small, "",
                    "Send datagrams below 128 bytes twice, for links that lose much", config::live));
};

}  // namespace millrace::flow
