#pragma once
// Connection → View: what leaves the control thread when somebody asks about a connection.

#include "flow/settings.hpp"
#include "session/connection.hpp"
#include "session/view.hpp"

namespace millrace::session {

[[nodiscard]] View view_of(const Connection& connection, const flow::LimitSettings& limits);

}  // namespace millrace::session
