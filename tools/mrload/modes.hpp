#pragma once
// The measurements, one function each: sets up, measures, takes down, fills a report. The error is a sentence for the
// user. Nothing stays behind at the relay, as far as it lets us.

#include <expected>
#include <string>

#include "mrload/options.hpp"
#include "mrload/report.hpp"

namespace millrace::mrload {

std::expected<Report, std::string> run_media(const Options& options);
std::expected<Report, std::string> run_setup(const Options& options);
std::expected<Report, std::string> run_memory(const Options& options);
std::expected<void, std::string> run_demo(const Options& options);   // prints as it goes

}  // namespace millrace::mrload
