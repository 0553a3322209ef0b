#pragma once
// What a worker has to do at a certain time: a heap of deadlines that their owners hold. Setting, moving and clearing
// one is O(log n) and allocates only when there are more of them than ever before. One thread.

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/time.hpp"

namespace millrace::dataplane {

class Deadlines;

// Neither copied nor moved: the heap points at it. Cleared before it dies.
class Deadline {
 public:
  Deadline() = default;
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline() { MR_CHECK(!is_set()); }
  [[nodiscard]] bool is_set() const { return index_ != kNone; }

 private:
  friend class Deadlines;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  TimePoint at_{};
  std::uint32_t index_ = kNone;  // in the heap
};

class Deadlines {
 public:
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }
  [[nodiscard]] std::optional<TimePoint> first() const {
    return heap_.empty() ? std::nullopt : std::optional{heap_.front()->at_};
  }

  // Also of one that is set already.
  void set(Deadline& deadline, TimePoint at) {
    if (!deadline.is_set()) {
      deadline.index_ = static_cast<std::uint32_t>(heap_.size());
      heap_.push_back(&deadline);
    }
    deadline.at_ = at;
    sift_up(deadline.index_);
    sift_down(deadline.index_);
  }
  void clear(Deadline& deadline) {
    if (!deadline.is_set()) return;
    const std::uint32_t hole = std::exchange(deadline.index_, Deadline::kNone);
    Deadline* last = heap_.back();
    heap_.pop_back();
    if (last == &deadline) return;
    place(hole, last);
    sift_up(hole);
    sift_down(last->index_);
  }
  // The one that is due first, cleared; nothing when none is.
  [[nodiscard]] Deadline* take_due(TimePoint now) {
    if (heap_.empty() || heap_.front()->at_ > now) return nullptr;
    Deadline* due = heap_.front();
    clear(*due);
    return due;
  }

 private:
  void place(std::uint32_t index, Deadline* deadline) {
    heap_[index] = deadline;
    deadline->index_ = index;
  }
  void swap(std::uint32_t a, std::uint32_t b) {
    Deadline* upper = heap_[a];
    place(a, heap_[b]);
    place(b, upper);
  }
  [[nodiscard]] bool earlier(std::uint32_t a, std::uint32_t b) const { return heap_[a]->at_ < heap_[b]->at_; }
  void sift_up(std::uint32_t index) {
    for (; index > 0 && earlier(index, (index - 1) / 2); index = (index - 1) / 2) swap(index, (index - 1) / 2);
  }
  void sift_down(std::uint32_t index) {
    const auto size = static_cast<std::uint32_t>(heap_.size());
    for (;;) {
      std::uint32_t first = index;
      for (const std::uint32_t child : {2 * index + 1, 2 * index + 2}) {
        if (child < size && earlier(child, first)) first = child;
      }
      if (first == index) return;
      swap(index, first);
      index = first;
    }
  }

  std::vector<Deadline*> heap_;  // children of i: 2 i + 1, 2 i + 2
};

}  // namespace millrace::dataplane
