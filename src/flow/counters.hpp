#pragma once
// What a flow has carried. One block per flow (per local port), in an arena that control, workers and engines share:
// the worker that owns the flow is its only writer, everybody may read at any time and asks nobody. Words are
// relaxed atomics; a sequence lock makes a sample agree with itself.
//
// Units: packets, bytes, nanoseconds, ticks of the media clock. "In" is what arrived on this port and was accepted.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "flow/drop.hpp"

namespace millrace::flow {

enum class Count : std::uint8_t {
  packets_in,         // accepted from the peer, RTP and anything else
  bytes_in,
  packets_relayed,    // of those, passed on to at least one egress
  packets_out,        // sent out of this port towards its peer
  bytes_out,
  rtcp_on_rtp,        // RTCP that came on an RTP port (RFC 5761), part of packets_in
  not_rtp,            // datagrams that did not parse as RTP, part of packets_in
  first_in_wall_ns,   // CLOCK_REALTIME of the first and the last accepted packet; 0: never
  last_in_wall_ns,
  last_in_mono_ns,    // the same moment on the monotonic clock, for time-outs
  longest_gap_ns,     // between two accepted packets
  latency_sum_ns,     // kernel's receive stamp to our send, over latency_count packets
  latency_count,
  latency_discarded,  // samples below 0 or above 1 s: a stepped clock
  // Reception of RTP, from rtp::Reception.
  rtp_expected,       // highest - lowest + 1, summed over runs: what the sender must have sent
  rtp_received,       // distinct packets
  rtp_duplicates,
  rtp_reordered,      // arrived after a later one
  rtp_lost,           // expected - received
  rtp_ssrc,           // of the last packet
  rtp_ssrc_count,     // how many different ones followed each other
  rtp_payload_type,   // of the last packet, kNoPayloadType before the first
  rtp_jitter_last,    // ticks × 1000
  rtp_jitter_max,     // ticks × 1000
  rtp_jitter_average, // ticks × 1000
  // From RTCP reports of this port's peer about what it received from us, whichever port they came on; of several
  // sources the one that was reported last. In the RTP port's block alone.
  rtcp_round_trip_ns,      // between us and the peer: from the latest report that answers a sender report which we
                           // passed on to it; 0: none yet
  rtcp_reported_jitter,    // ticks × 1000
  rtcp_reported_lost,      // cumulative, 0 when negative
  rtcp_reported_fraction,  // in 1/256, since the report before
  drops,              // kDropReasons words, in the order of Drop
};
inline constexpr std::size_t kCountWords = static_cast<std::size_t>(Count::drops) + kDropReasons;
inline constexpr std::uint64_t kNoPayloadType = 255;

// A copy of a block: plain numbers.
class FlowCounters {
 public:
  [[nodiscard]] std::uint64_t operator[](Count what) const { return words_[std::to_underlying(what)]; }
  [[nodiscard]] std::uint64_t operator[](Drop reason) const {
    return words_[std::to_underlying(Count::drops) + std::to_underlying(reason)];
  }
  [[nodiscard]] std::uint64_t dropped() const;  // all reasons

 private:
  friend class CounterBlock;
  std::array<std::uint64_t, kCountWords> words_{};
};

class CounterBlock {
 public:
  // Any thread. Tries again while a write is under way.
  [[nodiscard]] FlowCounters sample() const;

  // The owning worker only. Between begin() and end() a reader waits for a consistent view. The fence keeps the
  // words' stores behind the odd number: a release store alone only holds back what stands before it. On x86 it
  // costs nothing.
  void begin() {
    sequence_.store(sequence_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
  }
  void end() { sequence_.store(sequence_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }
  [[nodiscard]] std::uint64_t get(Count what) const {
    return words_[std::to_underlying(what)].load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get(Drop reason) const {
    return words_[std::to_underlying(Count::drops) + std::to_underlying(reason)].load(std::memory_order_relaxed);
  }
  void set(Count what, std::uint64_t value) {
    words_[std::to_underlying(what)].store(value, std::memory_order_relaxed);
  }
  void add(Count what, std::uint64_t more = 1) { set(what, get(what) + more); }
  void drop(Drop reason) {
    auto& word = words_[std::to_underlying(Count::drops) + std::to_underlying(reason)];
    word.store(word.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  // Control thread, while no worker knows the block.
  void reset();

 private:
  // Odd while a write is under way.
  std::atomic<std::uint32_t> sequence_{0};
  std::array<std::atomic<std::uint64_t>, kCountWords> words_{};
};
// Four in a call. Not rounded up to cache lines: a block begins with the words that change with each packet and ends
// with the drops, so two workers that meet in one line hardly ever write to it both.
static_assert(sizeof(CounterBlock) == 8 + 8 * kCountWords);

// Hands out blocks that never move. Control thread only.
class CounterArena {
 public:
  [[nodiscard]] CounterBlock* take();  // all counts at their start
  void give_back(CounterBlock* block);
  [[nodiscard]] std::size_t in_use() const { return in_use_; }

 private:
  static constexpr std::size_t kBlocksPerChunk = 64;
  std::vector<std::unique_ptr<std::array<CounterBlock, kBlocksPerChunk>>> chunks_;
  std::vector<CounterBlock*> free_;
  std::size_t in_use_ = 0;
};

}  // namespace millrace::flow
