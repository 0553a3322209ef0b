#pragma once
// Copies of one connection's media into another: who feeds whom. A connection that is fed listens only and feeds
// nobody itself, so there are no chains and no circles, and all of a fork fits on one worker.

#include <vector>

#include "session/connection.hpp"

namespace millrace::session {

// Allowed: `into` is another connection, feeds nobody, and `source` is not fed itself.
[[nodiscard]] bool can_fork(const Connection& into, const Connection& source);
// From now on `into` gets what `source` receives, and from nobody else.
void fork(Connection& into, Connection& source, bool crosswise);
// The connection ends: nobody feeds it, it feeds nobody. Returns those whose plans have changed by that.
[[nodiscard]] std::vector<Connection*> leave_forks(Connection& connection);

}  // namespace millrace::session
