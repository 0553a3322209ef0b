#pragma once
// Answers of the daemon as text for people. Pure: JSON in, text out. `color` marks what needs attention.

#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace millrace::mrctl {

std::string render_status(const boost::json::object& status);
std::string render_calls(const boost::json::object& calls);
std::string render_call(const boost::json::object& call);
std::string render_findings(const boost::json::object& findings, bool color);
// True when something is wrong enough for a non-zero exit status.
bool has_problem(const boost::json::object& findings);

// Call-ids and tags come from strangers, and a terminal obeys control characters: those are shown as \x1b.
std::string harmless(std::string_view text);

// "3 s", "4 min 05 s", "2 h 03 min".
std::string duration_text(double seconds);

}  // namespace millrace::mrctl
