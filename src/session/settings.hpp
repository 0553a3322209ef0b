#pragma once
// How long calls live and how many there may be.

#include <chrono>
#include <cstdint>

#include "flow/latching.hpp"

namespace millrace::session {

struct Settings {
  std::chrono::seconds idle_timeout{60};   // silence that ends a connection
  std::chrono::seconds setup_timeout{60};  // until both legs have ports
  std::chrono::seconds held_timeout{0};    // silence while a leg is on hold; 0: idle_timeout counts
  std::chrono::seconds max_duration{0};    // of a connection; 0: none
  bool timer_per_party = false;            // each party has its own timer, either ends the connection
  std::uint32_t max_connections = 0;       // 0: as many as there are ports
  bool asymmetric = false;                 // parties are asymmetric unless a command says otherwise
  std::uint8_t tos = 184;                  // of relayed packets, 0xB8 is DSCP EF
  std::uint8_t ttl = 0;                    // of relayed packets; 0: the system's
  bool double_small = false;               // datagrams below 128 bytes are sent twice
  flow::LatchRules latching;
};

}  // namespace millrace::session
