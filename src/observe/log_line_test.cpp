#include "observe/log_line.hpp"

#include <gtest/gtest.h>

namespace millrace::observe {
namespace {

using namespace std::chrono_literals;

// 2026-11-21T10:02:11.120Z
const WallTime kTime{1'795'255'331'120ms};
const LogLine kLine{.time = kTime,
                    .level = Level::info,
                    .call = "c1@host",
                    .text = "learned 192.0.2.1:4000",
                    .function = "void millrace::session::Call::learn(int)",
                    .line = 42};

LogLine of_no_call(Level level) {
  LogLine line = kLine;
  line.level = level;
  line.call = {};
  return line;
}

TEST(LogLine, reads_as_its_style_says) {
  const LineStyle reference{.format = LineFormat::rtpproxy};
  const LineStyle relative{.format = LineFormat::rtpproxy, .relative_to = kTime - 1h - 2min - 3s - 4ms};
  struct Case {
    LogLine line;
    LineStyle style;
    const char* text;
  };
  const Case cases[] = {
      {kLine, {}, "2026-11-21T10:02:11.120Z INFO  [c1@host] learned 192.0.2.1:4000"},
      {of_no_call(Level::error), {}, "2026-11-21T10:02:11.120Z ERROR learned 192.0.2.1:4000"},
      {of_no_call(Level::debug), {}, "2026-11-21T10:02:11.120Z DEBUG learned 192.0.2.1:4000"},
      {of_no_call(Level::warning), {}, "2026-11-21T10:02:11.120Z WARN  learned 192.0.2.1:4000"},
      {kLine, {.with_time = false}, "[c1@host] learned 192.0.2.1:4000"},
      {kLine, reference, "INFO:c1@host:learn:42: learned 192.0.2.1:4000"},
      {of_no_call(Level::error), reference, "ERR:GLOBAL:learn:42: learned 192.0.2.1:4000"},
      {of_no_call(Level::debug), reference, "DBUG:GLOBAL:learn:42: learned 192.0.2.1:4000"},
      {of_no_call(Level::warning), reference, "WARN:GLOBAL:learn:42: learned 192.0.2.1:4000"},
      {of_no_call(Level::critical), reference, "CRIT:GLOBAL:learn:42: learned 192.0.2.1:4000"},
      {kLine, relative, "01:02:03.004/INFO:c1@host:learn:42: learned 192.0.2.1:4000"},
      {kLine,
       {.format = LineFormat::rtpproxy, .relative_to = kTime + 1s},
       "00:00:00.000/INFO:c1@host:learn:42: learned 192.0.2.1:4000"},
  };
  for (const Case& c : cases) EXPECT_EQ(render(c.line, c.style), c.text);
}

TEST(LogLine, a_peers_text_neither_ends_a_line_nor_drives_a_terminal) {
  using namespace std::string_view_literals;
  struct Case {
    std::string_view text, shown;
  };
  for (const Case& c :
       {Case{"plain", "plain"}, Case{"a\nb\r\tc", "a\\nb\\r\\tc"}, Case{"\x1b[31m", "\\x1b[31m"},
        Case{"\0\x7f"sv, "\\x00\\x7f"}, Case{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"}, Case{"", ""}}) {
    EXPECT_EQ(escaped(c.text, 100), c.shown);
  }
}

TEST(LogLine, a_text_is_cut_at_its_limit) {
  EXPECT_EQ(escaped("0123456789", 10), "0123456789");
  EXPECT_EQ(escaped("0123456789a", 10), "0123456...");
  EXPECT_EQ(escaped("01234567\n9", 10), "0123456...");
  EXPECT_EQ(escaped(std::string(100'000, '\0'), kMaxLogText).size(), kMaxLogText) << "escapes count too";
}

TEST(LogLine, a_function_is_named_without_its_types) {
  struct Case {
    const char *signature, *name;
  };
  for (const Case& c :
       {Case{"int main(int, char**)", "main"}, Case{"void a::B::run()", "run"},
        Case{"std::string* a::text(const std::string&)", "text"}, Case{"a::run()::<lambda(int)>", "run"},
        Case{"void a::(anonymous namespace)::B::run((anonymous namespace)::C)", "run"}, Case{"log", "log"},
        Case{"", ""}}) {
    EXPECT_EQ(bare_function(c.signature), c.name) << c.signature;
  }
}

}  // namespace
}  // namespace millrace::observe
