#pragma once
// Copies of one connection's media into another: who feeds whom. A connection that is fed listens only and feeds
// nobody itself, so there are no chains and no circles, and all of a fork fits on one worker.

#include <optional>
#include <vector>

#include "session/connection.hpp"

namespace millrace::session {

// One egress of each port is the other side's.
inline constexpr std::size_t kMaxForks = flow::kMaxEgresses - 1;  // of one connection

// Why it may not be; nothing: it may. `into` must be another connection that feeds nobody, `source` not fed itself.
[[nodiscard]] std::optional<Error> refuse_fork(const Connection& into, const Connection& source);
// From now on `into` gets what `source` receives, and from nobody else.
void fork(Connection& into, Connection& source, bool crosswise);
// The connection ends: nobody feeds it, it feeds nobody. Returns those whose plans have changed by that.
[[nodiscard]] std::vector<Connection*> leave_forks(Connection& connection);

}  // namespace millrace::session
