#pragma once
// Control's end of the event stream: turns Changes into notes and puts them into the hub's ring. Control thread only,
// but for left_out(). Nothing here waits: when the ring is full lifecycle notes stay at the tap, in their order, and
// statistics are left out.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "base/spsc_ring.hpp"
#include "events/bell.hpp"
#include "events/event.hpp"
#include "session/change.hpp"

namespace millrace::events {

// What goes through the ring: an event that has no number yet, or the news that some were lost here.
struct Note {
  Event event{};
  bool lost = false;
};

inline constexpr std::size_t kRingNotes = 8192;
using Ring = SpscRing<Note, kRingNotes>;

// Lifecycle notes that may wait at the tap while the ring is full: more than what the end of as many sessions as a node's
// ports allow brings at once. Beyond it the hub's thread does not get to run at all.
inline constexpr std::size_t kKeptNotes = 65'536;

class Tap final : public session::ChangeListener {
 public:
  // `calls` says whether anybody wants to hear of connections that are not sessions. All outlive this.
  Tap(Ring& ring, const Bell& bell, const std::atomic<bool>& calls) : ring_{ring}, bell_{bell}, calls_{calls} {}

  [[nodiscard]] bool wants(const session::ChangeSubject& subject) const override {
    return wants(subject.kind, subject.session);
  }
  [[nodiscard]] bool wants_view() const override { return true; }
  void on_change(const session::Change& change) override;

  // Once a turn: what waits goes as far as there is room, and the hub is woken if there is anything for it.
  void hand_over();
  // Nothing is noted any more. What the ring had no room for.
  [[nodiscard]] std::deque<Note> close();

  // Any thread. Statistics updates that found the ring full.
  [[nodiscard]] std::uint64_t left_out() const { return left_out_.load(std::memory_order_relaxed); }

 private:
  [[nodiscard]] bool wants(session::ChangeKind kind, bool session) const {
    if (closed_ || kind == session::ChangeKind::learned) return false;
    return session || calls_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool push(Note& note);  // false: there is no room, or others wait for it; `note` is as it was
  void push_kept();
  void keep(Note note);

  Ring& ring_;
  const Bell& bell_;
  const std::atomic<bool>& calls_;
  std::deque<Note> kept_;  // behind everything in the ring
  bool noted_ = false;  // since the hub was woken
  bool closed_ = false;
  std::atomic<std::uint64_t> left_out_{0};
};

}  // namespace millrace::events
