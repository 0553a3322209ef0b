#pragma once
// Bounded queue between exactly two threads: one pushes, one pops. No lock, no wait, no allocation after
// construction. A full ring is an answer for the pusher, never a wait.

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace millrace {

template <class T, std::size_t Capacity>
  requires(std::has_single_bit(Capacity))
class SpscRing {
 public:
  // Producer's thread. On false `value` is untouched and still the caller's.
  [[nodiscard]] bool try_push(T&& value) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ == Capacity) {
      head_seen_ = head_.load(std::memory_order_acquire);
      if (tail - head_seen_ == Capacity) return false;
    }
    (*slots_)[tail % Capacity] = std::move(value);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // Consumer's thread.
  [[nodiscard]] std::optional<T> try_pop() {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return std::nullopt;
    std::optional<T> value{std::move((*slots_)[head % Capacity])};
    (*slots_)[head % Capacity] = T{};
    head_.store(head + 1, std::memory_order_release);
    return value;
  }

  // Either thread; exact only for the one that asks about its own end.
  [[nodiscard]] bool empty() const {
    return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire);
  }

 private:
  // 64: the cache line of every machine we run on; keeps the two ends from sharing one.
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
  std::size_t head_seen_ = 0;  // the producer's copy of head_
  std::unique_ptr<std::array<T, Capacity>> slots_ = std::make_unique<std::array<T, Capacity>>();
};

}  // namespace millrace
