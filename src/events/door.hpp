#pragma once
// Where readers come and go, and where events get their numbers: one short lock decides whether a reader came before
// an event or after it, so that history and what follows join without a gap. Nothing calls out under that lock.
// Outlives the hub as long as a subscription does.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "events/bell.hpp"
#include "events/hub.hpp"
#include "events/reader.hpp"

namespace millrace::events {

// Connections that are not sessions are noted for so long after their last reader left (in the time of the events
// themselves), so that one who lost its stream can resume.
inline constexpr std::chrono::seconds kCallsLinger{60};

class Door {
 public:
  // A reader that the hub has not met yet; with what it wants of the history.
  struct Arrival {
    std::shared_ptr<Reader> reader;
    std::optional<std::uint64_t> after;
  };
  struct Step {
    std::uint64_t number;
    std::vector<Arrival> arrivals;  // before this number was given out
  };

  explicit Door(Bell bell) : bell_{std::move(bell)} {}

  // Any thread.
  std::expected<void, SubscribeError> enter(std::shared_ptr<Reader> reader, std::optional<std::uint64_t> after);
  void leave(const Reader& reader);
  [[nodiscard]] std::uint64_t last_sequence() const { return sequence_.load(std::memory_order_acquire); }
  [[nodiscard]] std::size_t subscriptions() const;

  // Control's.
  [[nodiscard]] const Bell& bell() const { return bell_; }
  [[nodiscard]] const std::atomic<bool>& calls_noted() const { return calls_noted_; }
  void close();

  // Hub's thread. `floor` is the history's, once the event is in it.
  [[nodiscard]] Step number(WallTime at, std::uint64_t floor);
  // Events were lost: their place takes one number, and nobody resumes before it.
  [[nodiscard]] Step number_lost();
  [[nodiscard]] std::vector<Arrival> arrivals();
  [[nodiscard]] bool somebody_left() { return somebody_left_.exchange(false, std::memory_order_acquire); }
  [[nodiscard]] bool closing() const;

 private:
  [[nodiscard]] std::optional<SubscribeError> refusal(const Reader& reader, std::optional<std::uint64_t> after) const;
  [[nodiscard]] Step next();

  const Bell bell_;
  std::atomic<bool> calls_noted_{false};      // written under the lock
  std::atomic<std::uint64_t> sequence_{0};    // written under the lock
  std::atomic<bool> somebody_left_{false};

  mutable std::mutex mutex_;
  std::vector<Arrival> arrivals_;
  std::size_t subscriptions_ = 0, calls_readers_ = 0;
  std::uint64_t floor_ = 0;        // the history reaches back to here
  std::uint64_t calls_floor_ = 0;  // and for connections that are not sessions, to here
  WallTime last_at_{};             // of the events
  WallTime calls_left_at_{};       // their last reader
  bool closing_ = false;
};

}  // namespace millrace::events
