#pragma once
// What people read about the settings, all of it made from the declarations.

#include <string>
#include <vector>

#include "config/read.hpp"

namespace millrace::config {

// docs/settings.md, whole.
std::string reference_page(const Sections& sections);
// For --help: one line a setting.
std::string help_text(const Sections& sections);
// The settings in effect as a settings file; reading it gives the same settings again. For check-config.
std::string effective(const Sections& sections, const Settings& settings);
// What is wrong with the declarations themselves: no help, a default that is not allowed, a key twice. For a test.
std::vector<std::string> declaration_faults(const Sections& sections);

}  // namespace millrace::config
