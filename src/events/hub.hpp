#pragma once
// The one place that events pass on their way out: a thread that takes what the control thread noted, numbers it,
// keeps a bounded history, and puts it into the bounded queue of each subscriber. Control never waits for a reader.
//
//   Calls ─► Tap (control thread) ─► SPSC ring ─► Hub (its thread) ─► history, Subscription ─► Subscriber (its thread)

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "events/event.hpp"
#include "events/settings.hpp"
#include "session/change.hpp"

namespace millrace::events {

enum class SubscribeError : std::uint8_t {
  other_instance,   // the numbers are of a process that has ended
  too_old,          // the history does not reach back that far
  not_yet,          // a number that has not been given out
  too_many,         // kMaxSubscriptions
  closing,
};
inline constexpr std::size_t kMaxSubscriptions = 4096;

// Why a subscription takes no more events; what was queued before it may still be taken.
enum class EndOfStream : std::uint8_t { none, overrun, closing };

struct Filter {
  // Called on the hub's thread, also for a moment after the subscription is gone: owns what it reads. Empty: all.
  std::function<bool(const Event&)> wants{};
  bool calls = false;                       // connections of the text protocol too; else sessions only
  bool statistics = true;
};

struct ResumePoint {
  std::string instance;
  std::uint64_t after = 0;  // the last sequence number that the reader has; 0: from the first event on
};

// One reader's queue. Any thread may take; `ready` of Hub::subscribe() says when there is something.
class Subscription {
 public:
  virtual ~Subscription() = default;
  // The oldest; nothing: the queue is empty, `ready` will be called when that changes or when the stream ends.
  [[nodiscard]] virtual std::shared_ptr<const Event> take() = 0;
  [[nodiscard]] virtual EndOfStream end() const = 0;          // ask after take() gave nothing
  [[nodiscard]] virtual std::uint64_t left_out() const = 0;   // statistics updates that did not fit
};

class Hub {
 public:
  static std::expected<std::unique_ptr<Hub>, SysError> start(const Settings& settings);
  virtual ~Hub() = default;

  // Drawn at the start; the numbers of another process mean nothing here.
  [[nodiscard]] virtual const std::string& instance() const = 0;
  [[nodiscard]] virtual std::uint64_t last_sequence() const = 0;

  // Any thread. `ready` is called on the hub's thread, once each time an empty queue gets something or the stream ends;
  // it must not block and must not call back into the hub (take() it may). It is not called any more once the
  // Subscription is gone: its destructor waits for a call that is under way, so it must not run under a lock that
  // `ready` takes. Without a resume point: from now on. With one, the events after it come first, none missing, none
  // twice; they too are announced by `ready`, and they do not count against the queue's limit. Statistics are not
  // among them. Connections of the text protocol are noted only while somebody asks for them and a minute beyond: a
  // resume that would have to reach further back is too_old.
  [[nodiscard]] virtual std::expected<std::unique_ptr<Subscription>, SubscribeError> subscribe(
      Filter filter, std::optional<ResumePoint> resume, std::function<void()> ready) = 0;

  // Control thread: where Calls tells its changes.
  [[nodiscard]] virtual session::ChangeListener& tap() = 0;
  // Control thread, once a turn: what did not fit into the ring goes now, and the hub is woken.
  virtual void hand_over() = 0;
  // Control thread. Everything noted so far reaches the queues, then every stream ends with EndOfStream::closing.
  virtual void close() = 0;

  struct Statistics {
    std::uint64_t events = 0;  // numbered; what was left out before that has no number
    std::uint64_t statistics_left_out = 0;  // by all readers, and on the way to the hub
    std::uint64_t streams_overrun = 0;
    std::size_t subscriptions = 0;  // not destroyed yet, whether they ended or not
  };
  [[nodiscard]] virtual Statistics statistics() const = 0;  // any thread
};

}  // namespace millrace::events
