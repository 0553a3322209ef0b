#pragma once
// One question to the daemon over its admin socket: a JSON line out, a JSON line back. Blocks, a few seconds at most.

#include <boost/json.hpp>
#include <expected>
#include <string>

namespace millrace::mrctl {

// The "result" of the answer; the error is a sentence for the operator.
std::expected<boost::json::object, std::string> ask(const std::string& socket_path, const boost::json::object& request);

}  // namespace millrace::mrctl
