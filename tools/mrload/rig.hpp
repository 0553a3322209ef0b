#pragma once
// What every measurement begins with: the relay (a given one, or a bare relay of our own), the generator's sockets and
// a fresh run number; and the conditions that its report must name.

#include <optional>

#include "mrload/bare_relay.hpp"
#include "mrload/media_sockets.hpp"
#include "mrload/options.hpp"
#include "mrload/proc.hpp"
#include "mrload/report.hpp"

namespace millrace::mrload {

struct Rig {
  Options options;                       // with relay and relay_pid of the bare relay, when that is wanted
  std::optional<BareRelayProcess> own;
  MediaSockets sockets;

  [[nodiscard]] std::expected<CallControl, std::string> control() const;
  // Nothing without --pid.
  [[nodiscard]] std::expected<std::optional<ProcessUsage>, std::string> usage() const;
};

std::expected<Rig, std::string> prepare(const Options& options);
void describe(Report& report, const Rig& rig);

}  // namespace millrace::mrload
