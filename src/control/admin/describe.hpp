#pragma once
// Calls, facts and findings as JSON. The JSON library stays in the .cpp files: values go in, text comes out.

#include <string>
#include <vector>

#include "base/time.hpp"
#include "control/admin/doctor.hpp"
#include "control/node.hpp"
#include "session/call.hpp"
#include "session/calls.hpp"

namespace millrace::control::admin {

// Each is one JSON value without a line end.
std::string describe_status(const NodeFacts& facts, const session::Totals& totals, Now now);
std::string describe_calls(const std::vector<const session::Call*>& calls, std::size_t in_all, Now now);
std::string describe_call(const session::Call& call, Now now);
std::string describe_findings(const std::vector<Finding>& findings);

}  // namespace millrace::control::admin
