#pragma once
// The log: one face for everyone, lines written by a thread of its own. No caller ever waits for a slow terminal or a
// full pipe: when lines come faster than they go, the oldest are dropped and counted, and a line says so once it
// recovers. Any thread may log; workers do not, they count.
//
//   log.info("listening on {}", socket);
//   log.warning(observe::Call{call_id}, "no packet from {} since {} s", party, seconds);
//
// A line below its level costs one comparison: nothing is formatted.

#include <fmt/core.h>

#include <atomic>
#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "observe/log_line.hpp"

namespace millrace::observe {

class Target;

inline constexpr std::size_t kLogQueue = 4096;      // lines that wait for their target
inline constexpr std::size_t kMaxCallLevels = 64;   // calls with a level of their own

// The call that a line is about, by its call-id.
struct Call {
  std::string_view id;
};

// A format text that is checked when it is compiled, and the place that it stands at.
template <class... Args>
struct Located {
  template <class Text>
    requires std::convertible_to<const Text&, std::string_view>
  consteval Located(const Text& text, std::source_location its_place = std::source_location::current())
      : format{text}, place{its_place} {}
  fmt::format_string<Args...> format;
  std::source_location place;
};
template <class... Args>
using Format = Located<std::type_identity_t<Args>...>;

class Log {
 public:
  explicit Log(std::unique_ptr<Target> target, Level level = Level::info);
  ~Log();  // writes what waits
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Before start() each line is written by its caller. Threads do not survive a fork: start after it, and before other
  // threads log; stop when they do no more.
  void start();
  void stop();
  // After the file was moved away.
  void reopen();

  void set_level(Level level) { level_.store(level, std::memory_order_relaxed); }
  [[nodiscard]] Level level() const { return level_.load(std::memory_order_relaxed); }
  // A level of its own for one call; false when kMaxCallLevels calls have one.
  bool set_call_level(std::string_view call_id, Level level);
  void clear_call_level(std::string_view call_id);
  [[nodiscard]] std::vector<std::pair<std::string, Level>> call_levels() const;

  // Lines lost so far, here and at the target. Asked by the thread that starts and stops.
  [[nodiscard]] std::uint64_t dropped() const;

  [[nodiscard]] bool enabled(Level level) const { return level >= this->level(); }
  [[nodiscard]] bool enabled(Level level, Call call) const {
    return has_call_levels_.load(std::memory_order_relaxed) ? call_enabled(level, call) : enabled(level);
  }

  template <class... Args>
  void write(Level level, Call call, const Located<Args...>& format, const Args&... args) {
    if (call.id.empty() ? enabled(level) : enabled(level, call)) {
      submit(level, call, fmt::vformat(format.format, fmt::make_format_args(args...)), format.place);
    }
  }

  template <class... Args>
  void debug(Format<Args...> format, const Args&... args) {
    write<Args...>(Level::debug, {}, format, args...);
  }
  template <class... Args>
  void debug(Call call, Format<Args...> format, const Args&... args) {
    write<Args...>(Level::debug, call, format, args...);
  }
  template <class... Args>
  void info(Format<Args...> format, const Args&... args) {
    write<Args...>(Level::info, {}, format, args...);
  }
  template <class... Args>
  void info(Call call, Format<Args...> format, const Args&... args) {
    write<Args...>(Level::info, call, format, args...);
  }
  template <class... Args>
  void warning(Format<Args...> format, const Args&... args) {
    write<Args...>(Level::warning, {}, format, args...);
  }
  template <class... Args>
  void warning(Call call, Format<Args...> format, const Args&... args) {
    write<Args...>(Level::warning, call, format, args...);
  }
  template <class... Args>
  void error(Format<Args...> format, const Args&... args) {
    write<Args...>(Level::error, {}, format, args...);
  }
  template <class... Args>
  void error(Call call, Format<Args...> format, const Args&... args) {
    write<Args...>(Level::error, call, format, args...);
  }
  template <class... Args>
  void critical(Format<Args...> format, const Args&... args) {
    write<Args...>(Level::critical, {}, format, args...);
  }
  template <class... Args>
  void critical(Call call, Format<Args...> format, const Args&... args) {
    write<Args...>(Level::critical, call, format, args...);
  }

 private:
  struct Machinery;  // spdlog's

  [[nodiscard]] bool call_enabled(Level level, Call call) const;
  void submit(Level level, Call call, std::string_view text, const std::source_location& place);

  std::atomic<Level> level_;
  std::atomic<bool> has_call_levels_{false};
  mutable std::mutex call_levels_mutex_;
  std::map<std::string, Level, std::less<>> call_level_of_;
  std::unique_ptr<Machinery> machinery_;
};

// When RTPP_LOG_TFORM asks for relative times: the moment that they count from, RTPP_LOG_TSTART (seconds of
// CLOCK_BOOTTIME) or now.
std::optional<WallTime> relative_start(const char* time_format, const char* start);

}  // namespace millrace::observe
