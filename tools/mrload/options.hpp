#pragma once
// The command line of mrload as a value.

#include <expected>
#include <optional>
#include <string>

#include "mrload/dialect.hpp"
#include "mrload/generator.hpp"

namespace millrace::mrload {

enum class Mode { media, setup, memory, bare_relay, demo };

struct Options {
  Mode mode = Mode::media;
  Protocol protocol = Protocol::rtpproxy;
  net::Endpoint relay;              // its control address
  std::optional<pid_t> relay_pid;
  net::Address local;               // of the generator's media sockets
  std::size_t pairs = 1;
  std::optional<int> cpu;           // the generator's own
  std::string json_file;

  Traffic traffic;                  // media, memory
  bool direct = false;              // media: no relay
  bool own_relay = false;           // media, setup, memory: start the bare relay as a child
  std::optional<int> relay_cpu;     // the bare relay's
  bool baseline = true;             // media: measure the direct path first

  std::uint32_t window = 64;        // requests outstanding
  std::uint32_t total = 20'000;     // setup: calls in all
  std::uint32_t alive = 4'000;      // setup: at a time
};

// The error is what to print and the code to exit with: 0 for --help and --version, 2 for a mistake.
struct UsageExit {
  int code;
  std::string text;
};
std::expected<Options, UsageExit> parse_options(int argc, const char* const* argv);

}  // namespace millrace::mrload
