#pragma once
// What the front end asks of the session, as two functions, so that tests can give answers of their own.

#include <functional>

#include "base/time.hpp"
#include "session/calls.hpp"

namespace millrace::control::rtpproxy {

struct Session {
  std::function<session::Reply(const session::Command&)> execute;
  std::function<session::Totals()> totals;
};

// `calls` outlives the result; `clock` is read once a command.
[[nodiscard]] Session session_of(session::Calls& calls, std::function<Now()> clock = read_clocks);

}  // namespace millrace::control::rtpproxy
