#include "observe/log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <latch>
#include <sstream>
#include <thread>

#include "config/manual.hpp"
#include "observe/log_target.hpp"

namespace millrace::observe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const LineStyle kBare{.with_time = false};

// Lines as they reach the target; read after stop().
struct Lines {
  std::vector<std::string> all;
  std::unique_ptr<Target> target(const LineStyle& style = kBare) {
    return make_callback_target([this](std::string_view line) { all.emplace_back(line); }, style);
  }
};

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  std::array<int, 2> ends{};
};

TEST(Log, every_line_of_a_call_carries_its_call_id) {
  Lines lines;
  Log log{lines.target()};
  log.start();
  log.info("listening on {}", 22222);
  log.warning(Call{"c1"}, "no packet from {} since {} s", "callee", 12);
  log.stop();
  EXPECT_THAT(lines.all, ElementsAre("listening on 22222", "[c1] no packet from callee since 12 s"));
}

TEST(Log, a_line_names_the_function_that_wrote_it) {
  Lines lines;
  Log log{lines.target({.format = LineFormat::rtpproxy})};
  log.error("x");
  const int line = __LINE__ - 1;
  EXPECT_THAT(lines.all, ElementsAre("ERR:GLOBAL:TestBody:" + std::to_string(line) + ": x"));
}

struct Counted {};
int formatted = 0;

}  // namespace
}  // namespace millrace::observe

template <>
struct fmt::formatter<millrace::observe::Counted> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  template <class Context>
  auto format(const millrace::observe::Counted&, Context& context) const {
    ++millrace::observe::formatted;
    return context.out();
  }
};

namespace millrace::observe {
namespace {

TEST(Log, what_is_below_the_level_is_not_even_formatted) {
  Lines lines;
  Log log{lines.target(), Level::warning};
  formatted = 0;
  log.debug("d{}", Counted{});
  log.info(Call{"c1"}, "i{}", Counted{});
  EXPECT_EQ(formatted, 0);
  log.warning("w{}", Counted{});
  log.error("e");
  log.critical("c");
  EXPECT_EQ(formatted, 1);
  EXPECT_THAT(lines.all, ElementsAre("w", "e", "c"));
  log.set_level(Level::debug);
  log.debug("d");
  EXPECT_EQ(lines.all.back(), "d");
}

TEST(Log, one_call_may_have_a_level_of_its_own) {
  Lines lines;
  Log log{lines.target(), Level::warning};
  EXPECT_TRUE(log.set_call_level("c1", Level::debug));
  EXPECT_TRUE(log.set_call_level("quiet", Level::critical));
  log.debug(Call{"c1"}, "one");
  log.debug(Call{"c2"}, "two");
  log.debug("three");
  log.error(Call{"quiet"}, "four");
  EXPECT_THAT(lines.all, ElementsAre("[c1] one"));
  log.clear_call_level("c1");
  log.clear_call_level("unknown");
  log.debug(Call{"c1"}, "five");
  EXPECT_EQ(lines.all.size(), 1u);
}

TEST(Log, calls_with_a_level_of_their_own_are_bounded) {
  Lines lines;
  Log log{lines.target()};
  for (std::size_t i = 0; i < kMaxCallLevels; ++i) EXPECT_TRUE(log.set_call_level(std::to_string(i), Level::debug));
  EXPECT_FALSE(log.set_call_level("one more", Level::debug));
  EXPECT_TRUE(log.set_call_level("7", Level::error)) << "a known one changes";
  EXPECT_EQ(log.call_levels().size(), kMaxCallLevels);
}

TEST(Log, what_a_peer_sent_stays_on_one_line) {
  Lines lines;
  Log log{lines.target()};
  log.info(Call{"c\n1"}, "bad command '{}'", "V\n\x1b[2J{}");
  EXPECT_THAT(lines.all, ElementsAre("[c\\n1] bad command 'V\\n\\x1b[2J{}'"));
}

TEST(Log, a_stuck_target_delays_nobody_and_the_loss_is_told_when_it_recovers) {
  std::latch stuck{1}, release{1};
  std::vector<std::string> lines;
  Log log{make_callback_target(
      [&](std::string_view line) {
        if (lines.empty()) {
          stuck.count_down();
          release.wait();
        }
        lines.emplace_back(line);
      },
      kBare)};
  log.start();
  log.info("first");
  stuck.wait();
  for (std::size_t i = 0; i < kLogQueue + 100; ++i) log.info("line {}", i);
  EXPECT_EQ(log.dropped(), 100u);
  release.count_down();
  log.stop();
  ASSERT_EQ(lines.size(), 1 + kLogQueue + 1);
  EXPECT_EQ(lines[0], "first");
  EXPECT_EQ(lines[1], "line 100") << "the oldest are dropped";
  EXPECT_THAT(lines, ::testing::Contains("100 log lines were dropped: their target is slow"));
}

TEST(Log, a_pipe_that_nobody_reads_loses_lines_instead_of_time) {
  Pipe pipe;
  Log log{make_descriptor_target(pipe.ends[1], kBare, std::chrono::milliseconds{0})};
  log.start();
  const std::string text(kMaxLogText, 'x');
  for (int i = 0; i < 100; ++i) log.info("{}", text);
  log.stop();
  EXPECT_GT(log.dropped(), 0u);
  std::vector<char> buffer(1 << 20);
  const auto got = ::read(pipe.ends[0], buffer.data(), buffer.size());
  EXPECT_EQ(got % static_cast<ssize_t>(kMaxLogText + 1), 0) << "whole lines only";
  log.info("again");
  std::string tail(4096, '\0');
  tail.resize(static_cast<std::size_t>(::read(pipe.ends[0], tail.data(), tail.size())));
  EXPECT_THAT(tail, HasSubstr("again\n"));
  EXPECT_THAT(tail, HasSubstr(std::to_string(log.dropped()) + " log lines were dropped"));
}

TEST(Log, survives_a_fork_when_it_is_started_after_it) {
  Pipe pipe;
  Log log{make_descriptor_target(pipe.ends[1], kBare)};
  log.info("parent");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    log.start();
    log.info("child");
    log.stop();
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  std::string text(100, '\0');
  text.resize(static_cast<std::size_t>(::read(pipe.ends[0], text.data(), text.size())));
  EXPECT_EQ(text, "parent\nchild\n");
}

TEST(Log, several_threads_may_write) {
  Lines lines;
  Log log{lines.target()};
  log.start();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&log, t] {
        for (int i = 0; i < 200; ++i) log.info(Call{"c"}, "{} {}", t, i);
      });
    }
  }
  log.stop();
  EXPECT_EQ(lines.all.size(), 800u);
  EXPECT_EQ(log.dropped(), 0u);
}

std::string content_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  return text.str();
}

TEST(LogTarget, a_file_is_appended_to_and_opened_anew) {
  std::string pattern = (std::filesystem::temp_directory_path() / "millrace-log-XXXXXX").string();
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  const std::filesystem::path folder{pattern};
  Settings settings;
  settings.target = LogTarget::file;
  settings.file = folder / "log";
  {
    std::ofstream{settings.file} << "before\n";
    Log log{*open_target(settings, kBare)};
    log.info("one");
    std::filesystem::rename(settings.file, folder / "log.1");
    log.info("two");
    log.reopen();
    log.info("three");
  }
  EXPECT_EQ(content_of(folder / "log.1"), "before\none\ntwo\n");
  EXPECT_EQ(content_of(settings.file), "three\n");
  std::filesystem::remove_all(folder);
  const auto missing = open_target(settings, kBare);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message(), HasSubstr("open log file '" + settings.file + "': No such file"));
}

TEST(LogTarget, every_kind_opens) {
  Settings settings;
  for (const auto target : {LogTarget::automatic, LogTarget::standard_error, LogTarget::syslog, LogTarget::journal}) {
    settings.target = target;
    EXPECT_TRUE(open_target(settings, kBare));
  }
}

TEST(LogSettings, are_declared_without_fault) {
  EXPECT_THAT(config::declaration_faults({config::describe(Settings::schema)}), IsEmpty());
}

TEST(RelativeTime, counts_from_the_start_that_the_environment_names) {
  EXPECT_FALSE(relative_start(nullptr, nullptr));
  EXPECT_FALSE(relative_start("abs", "5"));
  const auto now = read_clocks().wall;
  for (const char* bad : {"", "x", "5x", "-5", "nan", "1e300"}) {
    EXPECT_GE(*relative_start("rel", bad), now) << bad;
  }
  timespec boot{};
  ::clock_gettime(CLOCK_BOOTTIME, &boot);
  const auto start = relative_start("rel", std::to_string(boot.tv_sec - 100).c_str());
  const auto passed = now - *start;
  EXPECT_GE(passed, std::chrono::seconds{99});
  EXPECT_LE(passed, std::chrono::seconds{102});
}

}  // namespace
}  // namespace millrace::observe
