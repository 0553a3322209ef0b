#pragma once
// How many control connections there may be at a time, datagram sockets included. When all places are taken, the one
// that has waited longest without ever having said a whole command makes room, so that connections that only open
// and say nothing cannot keep a SIP server out. Control thread only.

#include <cstddef>
#include <functional>
#include <list>

namespace millrace::control::transport {

class ConnectionLimit {
 public:
  static constexpr std::size_t kDefaultMax = 100;

  class Place;
  explicit ConnectionLimit(std::size_t max = kDefaultMax) : max_{max} {}

  // `evict` ends the connection; it is called at most once, from a later enter(). Null: never evicted.
  // An invalid Place (operator bool) means: full of those that work, turn it away.
  [[nodiscard]] Place enter(std::function<void()> evict);
  [[nodiscard]] std::size_t in_use() const { return entries_.size(); }

 private:
  struct Entry {
    std::function<void()> evict;
    bool silent = true;  // no whole command yet
  };
  bool make_room();

  std::size_t max_;
  std::list<Entry> entries_;  // the longest there first
};

// Holds one place until it is destroyed.
class ConnectionLimit::Place {
 public:
  Place() = default;
  Place(Place&& other) noexcept;
  Place& operator=(Place&& other) noexcept;
  ~Place();
  explicit operator bool() const { return limit_ != nullptr; }
  void has_spoken() {
    if (limit_ != nullptr) entry_->silent = false;
  }

 private:
  friend class ConnectionLimit;
  ConnectionLimit* limit_ = nullptr;
  std::list<Entry>::iterator entry_;
};

}  // namespace millrace::control::transport
