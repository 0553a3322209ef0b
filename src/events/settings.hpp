#pragma once
// How many events are kept, for whom.

#include <cstdint>

#include "config/schema.hpp"

namespace millrace::events {

struct Settings {
  std::uint32_t history = 4096;
  std::uint32_t queue = 4096;

  static constexpr auto schema = config::section(
      "events", "The stream of what happens to calls and sessions.",
      config::field(
          "history", &Settings::history, "64..1048576",
          "Events that are kept for readers that come back, about 2 KB each; statistics updates are not kept"),
      config::field("queue", &Settings::queue, "16..1048576",
                    "Events that may wait for one slow reader. Above half of it statistics updates are left out; a "
                    "reader for whom even the rest does not fit loses its stream"));
};

}  // namespace millrace::events
