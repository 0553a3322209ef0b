#pragma once
// The log as the settings and the way the program runs want it.

#include <expected>
#include <memory>
#include <string>

#include "config/read.hpp"
#include "observe/log.hpp"

namespace millrace::app {

// Starts the log's thread: after forking. The error is a sentence.
std::expected<std::unique_ptr<observe::Log>, std::string> start_log(const config::Settings& settings);

}  // namespace millrace::app
