#pragma once
// Tells whoever asked for it that a session has timed out: its tag and a line feed, over a stream connection that is
// kept open and used again. Runs as coroutines on the control loop: a target that is slow, dead or far away delays
// its own notifications and nothing else. Control thread only.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "session/change.hpp"

namespace boost::asio {
class io_context;
}

namespace millrace::control::rtpproxy {

inline constexpr std::size_t kMaxWaiting = 4096;   // notifications a target may be behind
inline constexpr std::size_t kMaxConnections = 256;  // to different targets, kept open
inline constexpr int kMaxResends = 3;              // on new connections, when a send fails

struct NotifierCounters {
  std::uint64_t sent = 0;
  std::uint64_t dropped = 0;  // no connection, three resends in vain, or too many waiting
};

class Notifier final : public session::ChangeListener {
 public:
  // Why a notification was not delivered; for the log.
  using OnDropped = std::function<void(std::string_view target, std::string_view reason)>;

  // `io` outlives this.
  explicit Notifier(boost::asio::io_context& io, OnDropped on_dropped = [](std::string_view, std::string_view) {});
  ~Notifier() override;

  // A connection that a timer ended is announced; one that was deleted is not.
  void on_change(const session::Change& change) override;
  [[nodiscard]] bool wants(const session::ChangeSubject& subject) const override {
    return subject.kind == session::ChangeKind::ended;
  }
  [[nodiscard]] NotifierCounters counters() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // coroutines that are still under way hold on to it
};

}  // namespace millrace::control::rtpproxy
