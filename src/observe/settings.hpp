#pragma once
// Where the log goes and how much of it there is.

#include <cstdint>
#include <string>

#include "config/schema.hpp"
#include "observe/log_line.hpp"

namespace millrace::observe {

enum class LogTarget : std::uint8_t {
  automatic,  // the journal when systemd has connected stderr to it, else stderr
  standard_error,
  syslog,
  journal,
  file,
};

struct Settings {
  Level level = Level::info;
  LogTarget target = LogTarget::automatic;
  std::string file;
  std::string ident = "millrace";
  std::string facility = "daemon";
  LineFormat format = LineFormat::millrace;
  static constexpr auto schema = config::section(
      "log", "What the daemon says of itself",
      config::field("level", &Settings::level, "debug|info|warning|error|critical",
                    "The least grave level that is kept", config::live),
      config::field("target", &Settings::target, "auto|stderr|syslog|journal|file",
                    "Where lines go; auto: the journal under systemd, else stderr"),
      config::field("file", &Settings::file, "", "Path of the file, when the target is file; SIGHUP opens it anew"),
      config::field("ident", &Settings::ident, config::kNotEmpty, "Name of the program in syslog and the journal"),
      config::field("facility", &Settings::facility,
                    "daemon|user|local0|local1|local2|local3|local4|local5|local6|local7", "Facility in syslog"),
      config::field("format", &Settings::format, "millrace|rtpproxy",
                    "How a line reads: with time, level and call, or as rtpproxy writes it"));
};

}  // namespace millrace::observe
