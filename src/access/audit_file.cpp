#include "access/audit_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace millrace::access {
namespace {

constexpr mode_t kMode = 0640;

bool same_file(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

}  // namespace

bool AuditFile::still_there() const {
  struct stat found{};
  return file_ && ::stat(path_.c_str(), &found) == 0 && same_file(found, opened_);
}

std::expected<void, SysError> AuditFile::open() {
  if (still_there()) return {};
  // A pipe whose reader stands still fails and is tried again; it must not hold up the end of the program.
  net::UniqueFd file{::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, kMode)};
  struct stat opened{};
  if (!file || ::fstat(file.get(), &opened) != 0) return std::unexpected{sys_error("open " + path_)};
  if (!same_file(opened, opened_)) torn_ = true;
  file_ = std::move(file);
  opened_ = opened;
  size_ = S_ISREG(opened.st_mode) ? static_cast<std::uint64_t>(opened.st_size) : 0;
  return {};
}

std::expected<void, SysError> AuditFile::append(std::string_view lines) {
  if (torn_) written_ = written_ == 0 ? 0 : lines.rfind('\n', written_ - 1) + 1;  // npos + 1 is the very beginning
  torn_ = false;
  while (written_ < lines.size()) {
    const auto rest = lines.substr(written_);
    const auto size = ::write(file_.get(), rest.data(), rest.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return std::unexpected{sys_error("write " + path_)};
    written_ += static_cast<std::size_t>(size);
    if (S_ISREG(opened_.st_mode)) size_ += static_cast<std::uint64_t>(size);
  }
  written_ = 0;
  return {};
}

std::expected<void, SysError> AuditFile::rotate_if_full() {
  if (!is_full() || written_ > 0) return {};
  const auto numbered = [this](unsigned number) { return fmt::format("{}.{}", path_, number); };
  for (unsigned i = keep_; i > 1; --i) {
    if (std::rename(numbered(i - 1).c_str(), numbered(i).c_str()) != 0 && errno != ENOENT) {
      return std::unexpected{sys_error("rename " + numbered(i - 1))};
    }
  }
  if (std::rename(path_.c_str(), numbered(1).c_str()) != 0) return std::unexpected{sys_error("rename " + path_)};
  return open();
}

}  // namespace millrace::access
