#include "rtp/sequence.hpp"

#include <algorithm>

namespace millrace::rtp {

std::uint8_t fraction_lost(const SequenceTotals& before, const SequenceTotals& now) {
  const auto expected = now.expected - before.expected;
  const auto received = now.received - before.received;
  if (expected == 0 || received >= expected) return 0;
  return static_cast<std::uint8_t>(std::min<std::uint64_t>(((expected - received) << 8) / expected, 255));
}

SequenceTracker::Arrival SequenceTracker::update(Ssrc ssrc, Seq sequence, bool marker) {
  if (ssrc_count_ == 0 || ssrc != ssrc_) {
    settle_straggler();
    ++ssrc_count_;
    return begin_run(ssrc, sequence);
  }
  if (straggler_ && distance(*straggler_, sequence) == 1) {
    const Seq first = *straggler_;
    straggler_.reset();
    begin_run(ssrc, first);
    advance(1);
    return Arrival::new_run;
  }
  settle_straggler();
  const int steps = distance(highest(), sequence);
  if ((marker && steps < 0) || steps > kMaxJump) return begin_run(ssrc, sequence);
  if (steps > 0) return advance(steps);
  return fall_behind(sequence, -steps);
}

SequenceTracker::Arrival SequenceTracker::begin_run(Ssrc ssrc, Seq sequence) {
  done_.expected = totals().expected;
  ssrc_ = ssrc;
  highest_ = lowest_ = sequence.value();
  window_.fill(0);
  mark(sequence);
  ++done_.received;
  return Arrival::new_run;
}

SequenceTracker::Arrival SequenceTracker::advance(int steps) {
  // The numbers stepped over take the places of ones a window older.
  for (int i = 0; i < steps; ++i) {
    ++highest_;
    forget(highest());
  }
  mark(highest());
  ++done_.received;
  return Arrival::in_order;
}

SequenceTracker::Arrival SequenceTracker::fall_behind(Seq sequence, int steps_back) {
  const bool known = static_cast<std::size_t>(steps_back) < kWindow && seen(sequence);
  if (steps_back > kMaxJump) {
    straggler_ = sequence;
    straggler_seen_ = known;
    return Arrival::straggler;
  }
  if (known) {
    ++done_.duplicates;
    return Arrival::duplicate;
  }
  mark(sequence);
  lowest_ = std::min(lowest_, highest_ - steps_back);
  ++done_.received;
  ++done_.reordered;
  return Arrival::reordered;
}

void SequenceTracker::settle_straggler() {
  if (!straggler_) return;
  straggler_.reset();
  ++(straggler_seen_ ? done_.duplicates : done_.late);
}

SequenceTotals SequenceTracker::totals() const {
  SequenceTotals totals = done_;
  if (done_.received > 0) totals.expected += static_cast<std::uint64_t>(highest_ - lowest_ + 1);
  return totals;
}

}  // namespace millrace::rtp
