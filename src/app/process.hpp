#pragma once
// What a program is to the machine: its pid file, its user, its limits, its place in the background. Start-up only,
// before threads are started.

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "net/unique_fd.hpp"

namespace millrace::app {

struct Identity {
  std::optional<uid_t> user;
  std::optional<gid_t> group;
};
// Names or numbers; a user without a group brings its own group, and one without any is refused. The error is a
// sentence.
std::expected<Identity, std::string> find_identity(const std::string& user, const std::string& group);
// Group first, then user; supplementary groups go. Drops every capability with it.
std::expected<void, SysError> become(const Identity& identity);

// Writes the process id, so after daemonizing; the file goes with the object. "/dev/null" or an empty path: none.
class PidFile {
 public:
  static std::expected<PidFile, SysError> create(const std::string& path);
  PidFile(PidFile&& other) noexcept : path_{std::move(other.path_)} { other.path_.clear(); }
  PidFile& operator=(PidFile&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~PidFile();

 private:
  explicit PidFile(std::string path) : path_{std::move(path)} {}
  std::string path_;
};

// The child's end of a daemon start: tells the waiting parent how it went, once. Without a parent it does nothing.
class StartReport {
 public:
  StartReport() = default;
  explicit StartReport(net::UniqueFd pipe) : pipe_{std::move(pipe)} {}
  void ready();  // the parent exits 0; without this it exits 1 when the child ends

 private:
  net::UniqueFd pipe_;
};

struct DaemonOptions {
  bool keep_directory = false;  // else changes to /
};
// Forks; only the child returns. The parent waits for StartReport::ready().
std::expected<StartReport, SysError> daemonize(const DaemonOptions& options);
void release_terminal();  // stdin, stdout and stderr become /dev/null

// Soft and hard limit of open files. Raising the soft limit to the hard one is tried when `count` is nothing.
std::expected<void, SysError> set_open_files(std::optional<int> count);
std::expected<void, SysError> set_scheduler(const std::string& policy);  // "fifo" or "rr", top priority
std::expected<void, SysError> set_nice(int value);

}  // namespace millrace::app
