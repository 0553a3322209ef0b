#pragma once
// One line of the log as a value, and how it reads. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace millrace::observe {

enum class Level : std::uint8_t { debug, info, warning, error, critical };

enum class LineFormat : std::uint8_t {
  millrace,  // 2026-11-21T10:02:11.120Z INFO  [call-id] text
  rtpproxy,  // INFO:call-id:function:42: text
};

inline constexpr std::size_t kMaxLogText = 3000;    // bytes of a text, escapes included; what is longer is cut
inline constexpr std::size_t kMaxLogCallId = 500;  // together below PIPE_BUF: a pipe takes a line whole or not at all

struct LogLine {
  WallTime time;
  Level level = Level::info;
  std::string_view call;  // escaped; empty: of no call
  std::string_view text;  // escaped
  std::string_view function;  // as the compiler spells it
  int line = 0;
};

struct LineStyle {
  LineFormat format = LineFormat::millrace;
  bool with_time = true;  // syslog and the journal bring their own
  std::optional<WallTime> relative_to{};  // rtpproxy: "00:00:01.250/" in front
};

// Without a newline at its end.
std::string render(const LogLine& line, const LineStyle& style);

// Peers' text in a log must neither end a line nor drive a terminal: control characters become \n, \r, \t or \x1b.
// At most `limit` bytes; a cut text ends in "...".
std::string escaped(std::string_view text, std::size_t limit);

// "void millrace::app::Relay::start(int)" → "start".
std::string_view bare_function(std::string_view signature);

}  // namespace millrace::observe
