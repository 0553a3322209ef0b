#include "events/door.hpp"

#include <algorithm>

namespace millrace::events {

std::expected<void, SubscribeError> Door::enter(std::shared_ptr<Reader> reader, std::optional<std::uint64_t> after) {
  {
    const std::scoped_lock lock{mutex_};
    if (const auto error = refusal(*reader, after)) return std::unexpected{*error};
    ++subscriptions_;
    if (reader->wants_calls()) {
      ++calls_readers_;
      // What happened unnoted takes a number, so that nobody resumes across it.
      if (!calls_noted_.load()) calls_floor_ = next().number;
      calls_noted_.store(true);
    }
    arrivals_.push_back({std::move(reader), after});
  }
  if (after) bell_.ring();  // the history can be had now
  return {};
}

std::optional<SubscribeError> Door::refusal(const Reader& reader, std::optional<std::uint64_t> after) const {
  if (closing_) return SubscribeError::closing;
  if (subscriptions_ >= kMaxSubscriptions) return SubscribeError::too_many;
  if (!after) return std::nullopt;
  if (*after > sequence_.load()) return SubscribeError::not_yet;
  if (*after < floor_) return SubscribeError::too_old;
  if (reader.wants_calls() && (!calls_noted_.load() || *after < calls_floor_)) return SubscribeError::too_old;
  return std::nullopt;
}

void Door::leave(const Reader& reader) {
  {
    const std::scoped_lock lock{mutex_};
    --subscriptions_;
    if (reader.wants_calls() && --calls_readers_ == 0) calls_left_at_ = last_at_;
  }
  somebody_left_.store(true, std::memory_order_release);
  bell_.ring();
}

std::size_t Door::subscriptions() const {
  const std::scoped_lock lock{mutex_};
  return subscriptions_;
}

void Door::close() {
  {
    const std::scoped_lock lock{mutex_};
    closing_ = true;
  }
  bell_.ring();
}

bool Door::closing() const {
  const std::scoped_lock lock{mutex_};
  return closing_;
}

Door::Step Door::number(WallTime at, std::uint64_t floor) {
  const std::scoped_lock lock{mutex_};
  last_at_ = at;
  if (calls_readers_ == 0 && calls_noted_.load() && at > calls_left_at_ + kCallsLinger) calls_noted_.store(false);
  floor_ = floor;
  Step step = next();
  step.arrivals.swap(arrivals_);
  return step;
}

Door::Step Door::number_lost() {
  const std::scoped_lock lock{mutex_};
  Step step = next();
  floor_ = step.number;
  step.arrivals.swap(arrivals_);
  return step;
}

std::vector<Door::Arrival> Door::arrivals() {
  const std::scoped_lock lock{mutex_};
  return std::exchange(arrivals_, {});
}

// The lock is held.
Door::Step Door::next() { return {.number = sequence_.fetch_add(1) + 1, .arrivals = {}}; }

}  // namespace millrace::events
