#pragma once
// What a worker says of itself: written by its thread, read by any.

#include <atomic>
#include <cstdint>

#include "observe/histogram.hpp"

namespace millrace::dataplane {

// One writer, any reader.
class Tally {
 public:
  void add(std::uint64_t more = 1) { value_.store(value() + more, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct WorkerStatistics {
  observe::LatencyHistogram latency;  // the kernel's receive stamp to our send
  Tally turns;
  Tally commands;
  Tally packets_in;      // datagrams that were read, dropped ones too
  Tally packets_out;     // sends that the kernel took
  Tally sockets_failed;  // a socket could not be watched, or not be marked with its TOS or TTL
};

}  // namespace millrace::dataplane
