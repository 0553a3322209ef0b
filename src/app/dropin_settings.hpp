#pragma once
// The drop-in's options in the words of the settings: the same assignments that --set takes, so that there is one
// way in and --set can change each of them.

#include <string>
#include <vector>

#include "app/dropin_options.hpp"

namespace millrace::app {

std::vector<std::string> to_assignments(const DropInOptions& options);

}  // namespace millrace::app
