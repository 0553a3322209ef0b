#pragma once
// Sequence numbers of what arrives: what the sender must have sent, what came, what came twice, out of order or too
// late. RFC 3550 A.1 and A.3, in runs as the reference of the text protocol counts them. Pure state machine: takes
// numbers in order of arrival. One tracker for one receiving port.
//
// A run is a stretch of numbers that belong together; its share of `expected` is highest - lowest + 1. A new run
// begins, and totals stay, when
//   * the SSRC changes,
//   * a marker packet lies below the highest number (a sender that starts again says so),
//   * the number jumps forward by more than kMaxJump,
//   * two packets in a row lie more than kMaxJump behind (RFC 3550 A.1: a restart; one alone is a straggler).
// There is no probation (A.1's MIN_SEQUENTIAL): a relay forwards and counts from the first packet.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/strong.hpp"

namespace millrace::rtp {

// Totals over all runs since the start. Each only grows, but `expected` and `received` only together.
struct SequenceTotals {
  std::uint64_t expected = 0;    // what the sender must have sent, judged by its numbers
  std::uint64_t received = 0;    // distinct packets
  std::uint64_t duplicates = 0;  // numbers that had been seen
  std::uint64_t reordered = 0;   // part of received: came after a later one
  std::uint64_t late = 0;        // not part of received: stragglers more than kMaxJump behind, not known as seen

  [[nodiscard]] constexpr std::uint64_t lost() const { return expected - received; }
};

// Share of the packets lost between two looks, in 1/256: the "fraction lost" of a report block, RFC 3550 A.3.
// Unlike there, duplicates do not hide losses, because `received` is distinct.
[[nodiscard]] std::uint8_t fraction_lost(const SequenceTotals& before, const SequenceTotals& now);

class SequenceTracker {
 public:
  static constexpr int kMaxJump = 536;            // a longer step is no loss but another run
  static constexpr std::size_t kWindow = 2048;    // numbers within which a duplicate is recognised

  enum class Arrival : std::uint8_t {
    new_run,    // first packet of a run
    in_order,   // above the highest
    reordered,  // below it, seen for the first time
    duplicate,
    straggler,  // far behind: late, a duplicate, or the first of a new run; the next packet tells
  };
  Arrival update(Ssrc ssrc, Seq sequence, bool marker);

  [[nodiscard]] SequenceTotals totals() const;
  // Cycles in the upper, the highest number in the lower half: what a report block carries. 0 before the first packet.
  [[nodiscard]] std::uint32_t extended_highest() const { return static_cast<std::uint32_t>(highest_); }
  [[nodiscard]] std::optional<Ssrc> ssrc() const { return ssrc_count_ == 0 ? std::nullopt : std::optional{ssrc_}; }
  // How many SSRCs followed each other; A, B, A counts three.
  [[nodiscard]] std::uint32_t ssrc_count() const { return ssrc_count_; }

 private:
  Arrival begin_run(Ssrc ssrc, Seq sequence);
  Arrival advance(int steps);
  Arrival fall_behind(Seq sequence, int steps_back);
  // What the straggler that is held back turned out to be, given that it did not begin a run.
  void settle_straggler();
  [[nodiscard]] bool seen(Seq sequence) const { return (word(sequence) & bit(sequence)) != 0; }
  void mark(Seq sequence) { word(sequence) |= bit(sequence); }
  void forget(Seq sequence) { word(sequence) &= ~bit(sequence); }

  // A number's place is its value modulo the window, which divides 2^16: wrap-around needs no care.
  static constexpr std::size_t kWords = kWindow / 64;
  [[nodiscard]] std::uint64_t& word(Seq sequence) { return window_[sequence.value() % kWindow / 64]; }
  [[nodiscard]] const std::uint64_t& word(Seq sequence) const { return window_[sequence.value() % kWindow / 64]; }
  [[nodiscard]] static std::uint64_t bit(Seq sequence) { return std::uint64_t{1} << (sequence.value() % 64); }
  [[nodiscard]] Seq highest() const { return Seq{static_cast<std::uint16_t>(highest_)}; }

  SequenceTotals done_;  // `expected` of finished runs; the rest of all runs
  std::int64_t highest_ = 0;  // extended: grows past 65535
  std::int64_t lowest_ = 0;  // extended: below 0 when 65535 comes after the 0 that a run began with
  Ssrc ssrc_;
  std::uint32_t ssrc_count_ = 0;
  std::optional<Seq> straggler_;
  bool straggler_seen_ = false;
  std::array<std::uint64_t, kWords> window_{};
};

}  // namespace millrace::rtp
