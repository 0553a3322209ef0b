#pragma once
// Wakes the hub's thread. Any thread rings; rings that come before the hub listens are one.

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <expected>
#include <utility>

#include "base/error.hpp"
#include "net/unique_fd.hpp"

namespace millrace::events {

class Bell {
 public:
  static std::expected<Bell, SysError> create() {
    net::UniqueFd event{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    if (!event) return std::unexpected{sys_error("eventfd")};
    return Bell{std::move(event)};
  }

  void ring() const {
    const std::uint64_t one = 1;
    // The only refusal is a counter at its maximum: then the hub is awake anyway.
    [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
  }
  // Returns once somebody has rung since the last time.
  void wait() const {
    pollfd readable{.fd = event_.get(), .events = POLLIN, .revents = 0};
    ::poll(&readable, 1, -1);
    std::uint64_t rings = 0;
    [[maybe_unused]] const ssize_t read = ::read(event_.get(), &rings, sizeof rings);
  }

 private:
  explicit Bell(net::UniqueFd event) : event_{std::move(event)} {}
  net::UniqueFd event_;
};

}  // namespace millrace::events
