#pragma once
// What a line of the text protocol says, before anything is done about it. Words stay views into the line.

#include <cstdint>
#include <string_view>
#include <vector>

#include "control/rtpproxy/words.hpp"
#include "session/command.hpp"

namespace millrace::control::rtpproxy {

enum class Verb : std::uint8_t {
  update,       // U
  lookup,       // L
  remove,       // D
  remove_all,   // X
  play,         // P
  stop_play,    // S
  record,       // R
  copy,         // C
  stop_record,  // N
  query,        // Q
  info,         // I
  statistics,   // G
  version,      // V
  feature,      // VF
};

struct Request {
  Verb verb = Verb::version;
  session::Command command;             // of the verbs that speak of a session
  std::vector<session::Command> parts;  // behind `&&`, in order
  bool verbose = false;                 // Q, G: `name=value` instead of the value
  bool load = false;                    // I: with the load line
  Words names;                          // Q, G: counters asked for; VF: the date
  std::string_view unknown_target;      // U: the notify socket that is not among the allowed ones
};

}  // namespace millrace::control::rtpproxy
