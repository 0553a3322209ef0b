#pragma once
// The parts behind `&&`. All are decoded before anything is done; one bad part spoils the whole command.

#include <expected>
#include <vector>

#include "control/rtpproxy/request.hpp"

namespace millrace::control::rtpproxy {

// The command that the parts hang on.
struct MainCommand {
  Verb verb;
  session::Parties parties;
  bool bridging;
};

[[nodiscard]] std::expected<std::vector<session::Command>, ErrorCode> decode_parts(const std::vector<Words>& parts,
                                                                                   const MainCommand& main);

}  // namespace millrace::control::rtpproxy
