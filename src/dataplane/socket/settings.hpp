#pragma once
// How the socket engine uses the machine.

#include <cstdint>

#include "config/schema.hpp"

namespace millrace::dataplane {

struct Settings {
  std::uint16_t workers = 0;
  bool pin = false;
  std::uint16_t pipes = 256;
  static constexpr auto schema =
      config::section("dataplane", "The threads that move packets.",
                      config::field("workers", &Settings::workers, "0..256",
                                    "Worker threads; 0: one for each CPU that the process may use"),
                      config::field("pin", &Settings::pin, "", "Keep each worker on a CPU of its own"),
                      config::field("pipes", &Settings::pipes, "0..4096",
                                    "Pipes of each worker that TCP sessions share, two descriptors and up to 256 KiB "
                                    "each; a stream that gets none is copied instead"));
};

}  // namespace millrace::dataplane
