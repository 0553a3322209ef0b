#pragma once
// What a stream's way through the forwarding half means to its session: the state, its reason, who is connected.

#include <string>

#include "flow/plan.hpp"
#include "session/connection.hpp"

namespace millrace::session {

[[nodiscard]] State state_of(flow::StreamState state);
// In words, also where the event brings none.
[[nodiscard]] std::string reason_of(const flow::StreamChanged& event);
// Peers, endpoints and the error of a session with a stream.
void note_stream(Connection& connection, const flow::StreamChanged& event);

}  // namespace millrace::session
