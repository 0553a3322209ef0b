#pragma once
// How long calls live and how many there may be.

#include <chrono>
#include <cstdint>

#include "config/schema.hpp"
#include "flow/settings.hpp"

namespace millrace::session {

struct Settings {
  std::chrono::seconds idle_timeout{60};
  std::chrono::seconds setup_timeout{60};
  std::chrono::seconds held_timeout{0};
  std::chrono::seconds max_duration{0};
  bool timer_per_party = false;
  std::uint32_t max_connections = 0;
  std::uint32_t max_connections_per_owner = 0;
  bool asymmetric = false;

  // Sections of their own, carried along into every plan.
  flow::RelaySettings relay{};
  flow::LatchingSettings latching{};
  flow::LimitSettings limits{};

  static constexpr auto schema = config::section(
      "session", "How long calls live and how many there may be.",
      config::field("idle_timeout", &Settings::idle_timeout, "1s..", "Silence that ends a connection", config::live),
      config::field("setup_timeout", &Settings::setup_timeout, "1s..",
                    "How long a connection may wait for its second leg", config::live),
      config::field("held_timeout", &Settings::held_timeout, "0s|1s..",
                    "Silence that ends a connection while a leg is on hold; 0s: idle_timeout counts", config::live),
      config::field("max_duration", &Settings::max_duration, "0s|1s..",
                    "Age that ends a connection whatever it carries; 0s: none", config::live),
      config::field("timer_per_party", &Settings::timer_per_party, "",
                    "Each party has a timer of its own and either one ends the connection", config::live),
      config::field("max_connections", &Settings::max_connections, "",
                    "Connections at a time; 0: as many as there are ports", config::live),
      config::field("max_connections_per_owner", &Settings::max_connections_per_owner, "",
                    "Sessions at a time that one identity of the gRPC API may have; 0: no limit", config::live),
      config::field("asymmetric", &Settings::asymmetric, "",
                    "Parties send from elsewhere than they listen, unless a command says otherwise", config::live));
};

}  // namespace millrace::session
