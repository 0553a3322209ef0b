#pragma once
// The last lifecycle events, for readers that come back. Statistics are not kept: the next update says as much.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <ranges>

#include "events/event.hpp"

namespace millrace::events {

class History {
 public:
  explicit History(std::size_t limit) : limit_{limit} {}

  // A reader that has everything up to this number can be told all that followed.
  [[nodiscard]] std::uint64_t floor() const { return floor_; }
  // What floor() will be once `event` is appended: known before, so that nobody is promised what goes with it.
  [[nodiscard]] std::uint64_t floor_with(const Event& event) const {
    return makes_room(event) ? kept_.front()->sequence : floor_;
  }

  void append(const std::shared_ptr<const Event>& event) {
    floor_ = floor_with(*event);
    if (makes_room(*event)) kept_.pop_front();
    if (is_lifecycle(event->kind)) kept_.push_back(event);
  }
  // Nothing before and with `sequence` can be told any more.
  void begin_anew(std::uint64_t sequence) {
    kept_.clear();
    floor_ = sequence;
  }

  // Oldest first.
  [[nodiscard]] auto after(std::uint64_t sequence) const {
    const auto first = std::ranges::upper_bound(kept_, sequence, {}, [](const auto& event) { return event->sequence; });
    return std::ranges::subrange{first, kept_.end()};
  }

 private:
  [[nodiscard]] bool makes_room(const Event& event) const { return is_lifecycle(event.kind) && kept_.size() == limit_; }

  std::size_t limit_;
  std::uint64_t floor_ = 0;
  std::deque<std::shared_ptr<const Event>> kept_;  // in the order of their numbers
};

}  // namespace millrace::events
