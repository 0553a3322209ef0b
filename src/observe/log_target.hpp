#pragma once
// Where log lines end: one object for each kind of place. write() is called by one thread at a time and may be slow;
// the log keeps that from everyone else.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string_view>

#include "base/error.hpp"
#include "observe/log_line.hpp"
#include "observe/settings.hpp"

namespace millrace::observe {

class Target {
 public:
  virtual ~Target() = default;
  virtual void write(const LogLine& line) = 0;
  virtual void reopen() {}
  // Lines that the place did not take.
  [[nodiscard]] virtual std::uint64_t lost() const { return 0; }
};

std::expected<std::unique_ptr<Target>, SysError> open_target(const Settings& settings, const LineStyle& style);
// Hands each line over as text; for tests and tools.
std::unique_ptr<Target> make_callback_target(std::function<void(std::string_view line)> callback,
                                             const LineStyle& style);
// Writes to a descriptor that it does not own, and gives a line up when the reader has not read for `patience`.
std::unique_ptr<Target> make_descriptor_target(int descriptor, const LineStyle& style,
                                               std::chrono::milliseconds patience = std::chrono::milliseconds{200});

}  // namespace millrace::observe
