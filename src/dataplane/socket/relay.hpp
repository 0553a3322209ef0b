#pragma once
// The packet path: what becomes of one datagram. Sans-I/O: takes bytes and the time, says what to send, and is told
// how the sends went; the simulator runs the same code on a virtual clock. One thread; no lock, no allocation, no
// exception.

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "dataplane/socket/connections.hpp"
#include "dataplane/socket/port.hpp"
#include "flow/drop.hpp"

namespace millrace::dataplane {

// What one worker threw away, by reason: written by its thread, read by any.
class DropCounts {
 public:
  void add(flow::Drop reason) {
    auto& word = words_[static_cast<std::size_t>(reason)];
    word.store(word.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t operator[](flow::Drop reason) const {
    return words_[static_cast<std::size_t>(reason)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, flow::kDropReasons> words_{};
};

class Relay {
 public:
  explicit Relay(Connections& connections) : connections_{connections} {}

  // What to send for a datagram that arrived at `port`; nothing when it ended as a Drop, which is given.
  std::optional<flow::Drop> on_datagram(MediaPort& port, const Datagram& in, Now now, Sends& out);
  // After the sends were tried, the last one at `at`. Gives what the relay added to the packet's way: from the
  // kernel's receive stamp to our send; nothing when nothing was sent or the stamp cannot be believed.
  std::optional<Nanoseconds> on_sent(MediaPort& port, const Datagram& in, const Sends& sends, WallTime at);

  [[nodiscard]] const DropCounts& drops() const { return drops_; }
  std::optional<flow::Drop> drop(MediaPort& port, flow::Drop reason);  // counts it, and gives it back

 private:
  [[nodiscard]] bool accepts(MediaPort& port, const flow::Arrival& arrival, Now now);
  void learned(MediaPort& port, const net::Endpoint& source, Now now);

  Connections& connections_;
  DropCounts drops_;
};

}  // namespace millrace::dataplane
