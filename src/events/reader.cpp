#include "events/reader.hpp"

#include <utility>

namespace millrace::events {

void Reader::resume(std::deque<std::shared_ptr<const Event>> missed) {
  if (missed.empty()) return;
  {
    const std::scoped_lock lock{queue_mutex_};
    queue_ = std::move(missed);
    missed_ = queue_.size();
  }
  call_ready();
}

Reader::Outcome Reader::offer(const std::shared_ptr<const Event>& event) {
  bool was_empty = false;
  const Outcome outcome = enqueue(event, was_empty);
  if (was_empty || outcome == Outcome::overrun) call_ready();
  return outcome;
}

Reader::Outcome Reader::enqueue(const std::shared_ptr<const Event>& event, bool& was_empty) {
  const std::scoped_lock lock{queue_mutex_};
  if (!open_.load(std::memory_order_relaxed)) return Outcome::done;
  const std::size_t waiting = queue_.size() - missed_;
  if (!is_lifecycle(event->kind) && waiting > limit_ / 2) {
    ++left_out_;
    return Outcome::left_out;
  }
  if (waiting >= limit_) {
    end_ = EndOfStream::overrun;
    open_.store(false, std::memory_order_release);
    return Outcome::overrun;
  }
  was_empty = queue_.empty();
  queue_.push_back(event);
  return Outcome::done;
}

void Reader::finish(EndOfStream why) {
  {
    const std::scoped_lock lock{queue_mutex_};
    if (!open_.exchange(false)) return;
    end_ = why;
  }
  call_ready();
}

std::shared_ptr<const Event> Reader::take() {
  const std::scoped_lock lock{queue_mutex_};
  if (queue_.empty()) return nullptr;
  auto event = std::move(queue_.front());
  queue_.pop_front();
  if (missed_ > 0) --missed_;
  return event;
}

EndOfStream Reader::end() const {
  const std::scoped_lock lock{queue_mutex_};
  return end_;
}

std::uint64_t Reader::left_out() const {
  const std::scoped_lock lock{queue_mutex_};
  return left_out_;
}

void Reader::leave() {
  {
    const std::scoped_lock lock{ready_mutex_};
    gone_ = true;
  }
  std::deque<std::shared_ptr<const Event>> dropped;  // destroyed without the lock
  const std::scoped_lock lock{queue_mutex_};
  open_.store(false, std::memory_order_release);
  dropped.swap(queue_);
  missed_ = 0;
}

void Reader::call_ready() {
  const std::scoped_lock lock{ready_mutex_};
  if (!gone_ && ready_) ready_();
}

}  // namespace millrace::events
