#pragma once
// One subscription's queue. The hub's thread puts events in, any thread takes them out. A lock of its own for the
// queue, another one for the call of `ready`, so that taking never waits for a reader's own code.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "events/event.hpp"
#include "events/hub.hpp"

namespace millrace::events {

class Reader {
 public:
  enum class Outcome : std::uint8_t { done, left_out, overrun };

  Reader(Filter filter, std::size_t limit, std::function<void()> ready)
      : filter_{std::move(filter)}, limit_{limit}, ready_{std::move(ready)} {}

  // Hub's thread.
  [[nodiscard]] bool open() const { return open_.load(std::memory_order_acquire); }
  [[nodiscard]] bool wants(const Event& event) const {
    if (!filter_.statistics && event.kind == Kind::statistics) return false;
    if (!filter_.calls && !event.view->session) return false;
    return !filter_.wants || filter_.wants(event);
  }
  // What a reader missed comes beside its limit: the history bounds it.
  void resume(std::deque<std::shared_ptr<const Event>> missed);
  Outcome offer(const std::shared_ptr<const Event>& event);
  void finish(EndOfStream why);

  // Any thread.
  [[nodiscard]] std::shared_ptr<const Event> take();
  [[nodiscard]] EndOfStream end() const;
  [[nodiscard]] std::uint64_t left_out() const;
  [[nodiscard]] bool wants_calls() const { return filter_.calls; }
  // The subscription is gone: what is queued goes, `ready` is not called any more. Waits for a call under way, unless
  // it is that call which ends the subscription.
  void leave();

 private:
  [[nodiscard]] Outcome enqueue(const std::shared_ptr<const Event>& event, bool& was_empty);
  void call_ready();

  const Filter filter_;
  const std::size_t limit_;

  mutable std::mutex queue_mutex_;
  std::deque<std::shared_ptr<const Event>> queue_;
  std::size_t missed_ = 0;  // at the front of queue_, from the history
  std::uint64_t left_out_ = 0;
  EndOfStream end_ = EndOfStream::none;

  std::atomic<bool> open_{true};  // neither ended nor gone
  std::recursive_mutex ready_mutex_;  // recursive for a subscription that ends within its own `ready`
  bool gone_ = false;
  const std::function<void()> ready_;
};

}  // namespace millrace::events
