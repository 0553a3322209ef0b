#pragma once
// Where mrctl finds the daemon.

#include <string>

#include "config/schema.hpp"

namespace millrace::control::admin {

struct Settings {
  std::string socket = "/run/millrace/admin.sock";
  std::string group;

  static constexpr auto schema = config::section(
      "admin", "The socket that mrctl speaks to. It takes commands from the daemon's user, root and the group.",
      config::field("socket", &Settings::socket, "", "Path of the Unix socket; empty: none"),
      config::field("group", &Settings::group, "", "Group that may use it besides the daemon's own; empty: none"));
};

}  // namespace millrace::control::admin
