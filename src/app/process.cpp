#include "app/process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include <fmt/format.h>

#include "base/parse.hpp"

namespace millrace::app {
namespace {

std::expected<void, SysError> fail(std::string operation) { return std::unexpected{sys_error(std::move(operation))}; }

}  // namespace

std::expected<Identity, std::string> find_identity(const std::string& user, const std::string& group) {
  Identity identity;
  if (!user.empty()) {
    const passwd* entry = ::getpwnam(user.c_str());
    if (entry == nullptr) {
      const auto number = parse_number<uid_t>(user);
      if (!number) return std::unexpected{fmt::format("there is no user '{}' on this host", user)};
      identity.user = *number;
      entry = ::getpwuid(*number);
    }
    if (entry != nullptr) {
      identity.user = entry->pw_uid;
      identity.group = entry->pw_gid;
    }
  }
  if (group.empty()) {
    // Without one it would stay in the groups of whoever started it: root's.
    if (identity.user && !identity.group) {
      return std::unexpected{
          fmt::format("the host knows no user {}: say which group it is to be in, too", *identity.user)};
    }
    return identity;
  }
  if (const ::group* entry = ::getgrnam(group.c_str())) {
    identity.group = entry->gr_gid;
  } else if (const auto number = parse_number<gid_t>(group)) {
    identity.group = *number;
  } else {
    return std::unexpected{fmt::format("there is no group '{}' on this host", group)};
  }
  return identity;
}

std::expected<void, SysError> become(const Identity& identity) {
  if (identity.group) {
    if (::geteuid() == 0 && ::setgroups(0, nullptr) != 0) return fail("leave the supplementary groups");
    if (::setgid(*identity.group) != 0) return fail(fmt::format("become group {}", *identity.group));
  }
  if (identity.user && ::setuid(*identity.user) != 0) return fail(fmt::format("become user {}", *identity.user));
  return {};
}

std::expected<PidFile, SysError> PidFile::create(const std::string& path) {
  if (path.empty() || path == "/dev/null") return PidFile{{}};
  const net::UniqueFd fd{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
  if (!fd) return std::unexpected{sys_error("write the pid file " + path)};
  PidFile file{path};  // ours from here on, also to remove
  const auto text = fmt::format("{}\n", ::getpid());
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return std::unexpected{sys_error("write the pid file " + path)};
  }
  return file;
}

PidFile::~PidFile() {
  if (!path_.empty()) (void)::unlink(path_.c_str());
}

void StartReport::ready() {
  if (!pipe_) return;
  const char fine = 0;
  (void)!::write(pipe_.get(), &fine, 1);  // a parent that was killed has nobody to tell
  pipe_ = net::UniqueFd{};
}

void release_terminal() {
  const net::UniqueFd null{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  if (!null) return;
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) (void)::dup2(null.get(), fd);
}

std::expected<StartReport, SysError> daemonize(const DaemonOptions& options) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected{sys_error("daemonize: pipe")};
  net::UniqueFd read_end{ends[0]}, write_end{ends[1]};
  const pid_t child = ::fork();
  if (child < 0) return std::unexpected{sys_error("daemonize: fork")};
  if (child > 0) {
    write_end = net::UniqueFd{};
    char fine = 1;
    const bool ready = ::read(read_end.get(), &fine, 1) == 1 && fine == 0;
    ::_exit(ready ? EXIT_SUCCESS : EXIT_FAILURE);
  }
  (void)::setsid();
  if (!options.keep_directory && ::chdir("/") != 0) return std::unexpected{sys_error("daemonize: chdir /")};
  return StartReport{std::move(write_end)};
}

std::expected<void, SysError> set_open_files(std::optional<int> count) {
  rlimit limit{};
  (void)::getrlimit(RLIMIT_NOFILE, &limit);
  if (count) {
    limit.rlim_cur = limit.rlim_max = static_cast<rlim_t>(*count);
  } else {
    limit.rlim_cur = limit.rlim_max;
  }
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return fail(fmt::format("allow {} open files", limit.rlim_cur));
  return {};
}

std::expected<void, SysError> set_scheduler(const std::string& policy) {
  const int number = policy == "fifo" ? SCHED_FIFO : SCHED_RR;
  const sched_param parameters{.sched_priority = ::sched_get_priority_max(number)};
  if (::sched_setscheduler(0, number, &parameters) != 0) return fail("real-time scheduling " + policy);
  return {};
}

std::expected<void, SysError> set_nice(int value) {
  if (::setpriority(PRIO_PROCESS, 0, value) != 0) return fail(fmt::format("set the priority {}", value));
  return {};
}

}  // namespace millrace::app
