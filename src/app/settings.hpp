#pragma once
// Every settings section that the programs have, in the order of the reference page, and the process' own.

#include <expected>
#include <string>
#include <vector>

#include "config/read.hpp"
#include "config/schema.hpp"

namespace millrace::app {

struct ProcessSettings {
  std::string user;
  std::string group;
  std::string pid_file;

  static constexpr auto schema = config::section(
      "process", "What the daemon is to the machine.",
      config::field("user", &ProcessSettings::user, "",
                    "User to become once every socket is open; empty: stay who started it"),
      config::field("group", &ProcessSettings::group, "", "Group to become; empty: the user's own"),
      config::field("pid_file", &ProcessSettings::pid_file, "", "File to write the process id to; empty: none"));
};

const config::Sections& all_sections();

// A settings file (empty path: none) with what --set puts over it. Every mistake, one a line.
std::expected<config::Settings, std::string> read_settings(const std::string& path,
                                                           const std::vector<std::string>& overrides);

}  // namespace millrace::app
