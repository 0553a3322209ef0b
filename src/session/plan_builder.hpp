#pragma once
// Connection → FlowPlan: what the forwarding half needs to know, and no more. Forwarding is a set of subscriptions:
// each port lists the ports that its packets leave from.

#include "flow/plan.hpp"
#include "session/connection.hpp"
#include "session/settings.hpp"

namespace millrace::session {

[[nodiscard]] flow::FlowPlan plan_for(const Connection& connection, const Settings& settings);
// What each side may send: as configured, or less where the session says so.
[[nodiscard]] flow::RateLimit limit_for(const Connection& connection, const flow::LimitSettings& configured);

}  // namespace millrace::session
