#pragma once
// The audit log's file: appended to in whole lines, rotated at a size, opened again when somebody moved it away. Used by
// one thread.

#include <sys/stat.h>

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "access/settings.hpp"
#include "base/error.hpp"
#include "net/unique_fd.hpp"

namespace millrace::access {

class AuditFile {
 public:
  explicit AuditFile(const AuditSettings& settings)
      : path_{settings.file}, rotate_size_{settings.rotate_size.count}, keep_{settings.keep} {}

  // Opens the file unless it is open and still what stands at its path.
  std::expected<void, SysError> open();
  // Before the next open() nothing is taken for granted.
  void close() { file_ = net::UniqueFd{}; }

  // Bytes until the next rotation is due.
  [[nodiscard]] std::uint64_t room() const { return is_full() ? 0 : rotate_size_ - size_; }
  // Appends these whole lines in one write. After an error the same lines are to be given again: what is in the file
  // of them already is not written twice, and no line is torn between two files.
  std::expected<void, SysError> append(std::string_view lines);
  // FILE → FILE.1 → … → FILE.keep, if it is time. The error: the file goes on as it is.
  std::expected<void, SysError> rotate_if_full();

 private:
  [[nodiscard]] bool still_there() const;
  [[nodiscard]] bool is_full() const { return size_ >= rotate_size_; }

  std::string path_;
  std::uint64_t rotate_size_;
  unsigned keep_;
  net::UniqueFd file_{};
  struct stat opened_{};
  std::uint64_t size_ = 0;  // of a plain file; nothing else is rotated
  std::size_t written_ = 0;  // of the lines that append() could not write to their end
  bool torn_ = false;  // their last line was begun in a file that is no longer ours
};

}  // namespace millrace::access
