#include "observe/log_target.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/parse.hpp"

namespace millrace::observe {
namespace {

constexpr std::array kPriorities{LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERR, LOG_CRIT};
int priority_of(Level level) { return kPriorities[std::to_underlying(level)]; }

class Descriptor : public Target {
 public:
  Descriptor(int descriptor, const LineStyle& style, std::chrono::milliseconds patience)
      : descriptor_{descriptor}, style_{style}, patience_ms_{static_cast<int>(patience.count())} {}

  void write(const LogLine& line) override {
    const auto text = render(line, style_) + "\n";
    // A line is shorter than PIPE_BUF, so a pipe that is ready takes it without waiting. Once the reader has shown
    // that it does not read, lines are given up at once, or the end of the program would wait for each of them.
    pollfd ready{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, stuck_ ? 0 : patience_ms_) <= 0) {
      stuck_ = true;
      return lose();
    }
    stuck_ = false;
    if (::write(descriptor_, text.data(), text.size()) < 0) lose();
  }
  [[nodiscard]] std::uint64_t lost() const override { return lost_.load(std::memory_order_relaxed); }

 protected:
  void use(int descriptor) { descriptor_ = descriptor; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  void lose() { lost_.fetch_add(1, std::memory_order_relaxed); }

  int descriptor_;
  LineStyle style_;
  int patience_ms_;
  bool stuck_ = false;
  std::atomic<std::uint64_t> lost_{0};
};

int open_file(const std::string& path) { return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640); }

class File final : public Descriptor {
 public:
  File(int descriptor, std::string path, const LineStyle& style)
      : Descriptor{descriptor, style, {}}, path_{std::move(path)} {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() override { ::close(descriptor()); }

  // After logrotate has moved the file away. Without a new one the old one goes on.
  void reopen() override {
    const int fresh = open_file(path_);
    if (fresh < 0) return;
    ::close(descriptor());
    use(fresh);
  }

 private:
  std::string path_;
};

int facility_of(std::string_view name) {
  if (name == "user") return LOG_USER;
  if (name.starts_with("local") && name.size() == 6) {
    constexpr std::array kLocal{LOG_LOCAL0, LOG_LOCAL1, LOG_LOCAL2, LOG_LOCAL3,
                                LOG_LOCAL4, LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7};
    return kLocal[static_cast<std::size_t>(name[5] - '0') % kLocal.size()];
  }
  return LOG_DAEMON;
}

class Syslog final : public Target {
 public:
  Syslog(std::string ident, int facility, const LineStyle& style) : ident_{std::move(ident)}, style_{style} {
    ::openlog(ident_.c_str(), LOG_PID, facility);  // keeps the pointer
  }
  Syslog(const Syslog&) = delete;
  Syslog& operator=(const Syslog&) = delete;
  ~Syslog() override { ::closelog(); }
  void write(const LogLine& line) override { ::syslog(priority_of(line.level), "%s", render(line, style_).c_str()); }

 private:
  std::string ident_;
  LineStyle style_;
};

class Journal final : public Target {
 public:
  Journal(std::string ident, const LineStyle& style) : ident_{std::move(ident)}, style_{style} {}

  // CALL_ID makes `journalctl CALL_ID=...` find the lines of one call.
  void write(const LogLine& line) override {
    std::array fields{
        fmt::format("MESSAGE={}", render(line, style_)), fmt::format("PRIORITY={}", priority_of(line.level)),
        fmt::format("SYSLOG_IDENTIFIER={}", ident_),     fmt::format("CODE_FUNC={}", bare_function(line.function)),
        fmt::format("CODE_LINE={}", line.line),          fmt::format("CALL_ID={}", line.call)};
    std::array<iovec, fields.size()> parts;
    for (std::size_t i = 0; i < fields.size(); ++i)
      parts[i] = {.iov_base = fields[i].data(), .iov_len = fields[i].size()};
    const std::size_t count = line.call.empty() ? parts.size() - 1 : parts.size();
    if (::sd_journal_sendv(parts.data(), static_cast<int>(count)) < 0) lost_.fetch_add(1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t lost() const override { return lost_.load(std::memory_order_relaxed); }

 private:
  std::string ident_;
  LineStyle style_;
  std::atomic<std::uint64_t> lost_{0};
};

class Callback final : public Target {
 public:
  Callback(std::function<void(std::string_view)> callback, const LineStyle& style)
      : callback_{std::move(callback)}, style_{style} {}
  void write(const LogLine& line) override { callback_(render(line, style_)); }

 private:
  std::function<void(std::string_view)> callback_;
  LineStyle style_;
};

// JOURNAL_STREAM is DEVICE:INODE of what systemd connected; somebody may have redirected stderr since.
bool stderr_is_the_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status{};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
  return stream == fmt::format("{}:{}", status.st_dev, status.st_ino);
}

}  // namespace

std::expected<std::unique_ptr<Target>, SysError> open_target(const Settings& settings, const LineStyle& style) {
  LineStyle timeless = style;
  timeless.with_time = false;
  switch (settings.target) {
    case LogTarget::syslog: return std::make_unique<Syslog>(settings.ident, facility_of(settings.facility), timeless);
    case LogTarget::file: {
      const int descriptor = open_file(settings.file);
      if (descriptor < 0) return std::unexpected{sys_error("open log file '" + settings.file + "'")};
      return std::make_unique<File>(descriptor, settings.file, style);
    }
    case LogTarget::automatic:
      if (!stderr_is_the_journal()) break;
      [[fallthrough]];
    case LogTarget::journal: {
      // The journal has a field for the call, but people read the message.
      return std::make_unique<Journal>(settings.ident, timeless);
    }
    case LogTarget::standard_error: break;
  }
  return make_descriptor_target(STDERR_FILENO, style);
}

std::unique_ptr<Target> make_callback_target(std::function<void(std::string_view line)> callback,
                                             const LineStyle& style) {
  return std::make_unique<Callback>(std::move(callback), style);
}

std::unique_ptr<Target> make_descriptor_target(int descriptor, const LineStyle& style,
                                               std::chrono::milliseconds patience) {
  return std::make_unique<Descriptor>(descriptor, style, patience);
}

}  // namespace millrace::observe
