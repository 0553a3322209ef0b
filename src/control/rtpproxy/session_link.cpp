#include "control/rtpproxy/session_link.hpp"

#include <utility>

namespace millrace::control::rtpproxy {

Session session_of(session::Calls& calls, std::function<Now()> clock) {
  return {.execute = [&calls, clock = std::move(clock)](
                         const session::Command& command) { return calls.execute(command, clock()); },
          .totals = [&calls] { return calls.totals(); }};
}

}  // namespace millrace::control::rtpproxy
