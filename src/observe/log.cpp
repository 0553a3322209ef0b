#include "observe/log.hpp"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/base_sink.h>

#include <cstdlib>
#include <ctime>

#include "observe/log_target.hpp"

namespace millrace::observe {
namespace {

// Between call-id and text in what spdlog carries; escaped() leaves no such byte in either.
constexpr char kSeparator = '\x1f';

constexpr double kMostUptime = 1e9;  // seconds, 31 years: beyond it the nanoseconds would not fit

spdlog::level::level_enum to_spdlog(Level level) {
  return static_cast<spdlog::level::level_enum>(std::to_underlying(level) + 1);  // its 0 is trace
}

// What spdlog hands over, back as our value; and the line that tells of dropped ones.
class Sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit Sink(std::unique_ptr<Target> target) : target_{std::move(target)} {}

  void watch(std::shared_ptr<spdlog::details::thread_pool> pool) {
    const std::lock_guard lock{mutex_};
    overruns_before_ += pool_ ? pool_->overrun_counter() : 0;
    pool_ = std::move(pool);
  }
  void reopen() {
    const std::lock_guard lock{mutex_};
    target_->reopen();
  }
  // Not under the lock: the target may be what everything waits for, and only the owner of the log changes pool_.
  [[nodiscard]] std::uint64_t dropped() const {
    return overruns_before_ + (pool_ ? pool_->overrun_counter() : 0) + target_->lost();
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view payload{message.payload.data(), message.payload.size()};
    const auto separator = payload.find(kSeparator);
    target_->write({.time = std::chrono::time_point_cast<Nanoseconds>(message.time),
                    .level = static_cast<Level>(message.level - 1),
                    .call = payload.substr(0, separator),
                    .text = payload.substr(separator + 1),
                    .function = message.source.funcname,
                    .line = message.source.line});
    report_dropped(message);
  }
  void flush_() override {}

 private:
  void report_dropped(const spdlog::details::log_msg& latest) {
    if (pool_ && pool_->queue_size() != 0) return;  // not recovered yet
    const auto total = dropped();
    if (total == reported_) return;
    const auto lost_before = target_->lost();
    const auto text = fmt::format("{} log lines were dropped: their target is slow", total - reported_);
    target_->write({.time = std::chrono::time_point_cast<Nanoseconds>(latest.time),
                    .level = Level::warning,
                    .call = {},
                    .text = text,
                    .function = "log",
                    .line = 0});
    if (target_->lost() == lost_before) reported_ = total;
  }

  std::unique_ptr<Target> target_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::uint64_t overruns_before_ = 0, reported_ = 0;
};

}  // namespace

struct Log::Machinery {
  std::shared_ptr<Sink> sink;
  std::shared_ptr<spdlog::details::thread_pool> pool;  // null: not started
  std::shared_ptr<spdlog::logger> logger;
};

Log::Log(std::unique_ptr<Target> target, Level level) : level_{level}, machinery_{std::make_unique<Machinery>()} {
  machinery_->sink = std::make_shared<Sink>(std::move(target));
  stop();
}

Log::~Log() { stop(); }

void Log::start() {
  auto& machinery = *machinery_;
  machinery.pool = std::make_shared<spdlog::details::thread_pool>(kLogQueue, 1);
  machinery.sink->watch(machinery.pool);
  machinery.logger = std::make_shared<spdlog::async_logger>("log", machinery.sink, machinery.pool,
                                                            spdlog::async_overflow_policy::overrun_oldest);
  machinery.logger->set_level(spdlog::level::trace);
}

void Log::stop() {
  auto& machinery = *machinery_;
  machinery.sink->watch(nullptr);
  machinery.pool.reset();  // joins its thread, which first writes what waits
  machinery.logger = std::make_shared<spdlog::logger>("log", machinery.sink);
  machinery.logger->set_level(spdlog::level::trace);
}

void Log::reopen() { machinery_->sink->reopen(); }

bool Log::set_call_level(std::string_view call_id, Level level) {
  const std::lock_guard lock{call_levels_mutex_};
  const auto found = call_level_of_.find(call_id);
  if (found != call_level_of_.end()) {
    found->second = level;
    return true;
  }
  if (call_level_of_.size() == kMaxCallLevels) return false;
  call_level_of_.emplace(call_id, level);
  has_call_levels_.store(true, std::memory_order_relaxed);
  return true;
}

void Log::clear_call_level(std::string_view call_id) {
  const std::lock_guard lock{call_levels_mutex_};
  const auto found = call_level_of_.find(call_id);
  if (found != call_level_of_.end()) call_level_of_.erase(found);
  has_call_levels_.store(!call_level_of_.empty(), std::memory_order_relaxed);
}

std::vector<std::pair<std::string, Level>> Log::call_levels() const {
  const std::lock_guard lock{call_levels_mutex_};
  return {call_level_of_.begin(), call_level_of_.end()};
}

std::uint64_t Log::dropped() const { return machinery_->sink->dropped(); }

bool Log::call_enabled(Level level, Call call) const {
  const std::lock_guard lock{call_levels_mutex_};
  const auto found = call_level_of_.find(call.id);
  return level >= (found == call_level_of_.end() ? this->level() : found->second);
}

void Log::submit(Level level, Call call, std::string_view text, const std::source_location& place) {
  auto payload = escaped(call.id, kMaxLogCallId);
  payload += kSeparator;
  payload += escaped(text, kMaxLogText);
  const spdlog::source_loc location{place.file_name(), static_cast<int>(place.line()), place.function_name()};
  machinery_->logger->log(location, to_spdlog(level), spdlog::string_view_t{payload.data(), payload.size()});
}

std::optional<WallTime> relative_start(const char* time_format, const char* start) {
  if (time_format == nullptr || std::string_view{time_format} != "rel") return std::nullopt;
  const auto wall = read_clocks().wall;
  if (start == nullptr) return wall;
  char* end = nullptr;
  const double seconds = std::strtod(start, &end);
  const bool usable = end != start && *end == '\0' && seconds >= 0 && seconds < kMostUptime;  // a NaN is not
  if (!usable) return wall;
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  const auto since_boot = std::chrono::seconds{now.tv_sec} + Nanoseconds{now.tv_nsec};
  return wall - (since_boot - Nanoseconds{static_cast<std::int64_t>(seconds * 1e9)});
}

}  // namespace millrace::observe
