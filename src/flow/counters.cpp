#include "flow/counters.hpp"

#include <algorithm>
#include <numeric>
#include <ranges>
#include <thread>

#include "base/check.hpp"

namespace millrace::flow {
namespace {

constexpr int kSpins = 64;  // a write takes some tens of nanoseconds; longer means that the writer does not run now

}  // namespace

std::uint64_t FlowCounters::dropped() const {
  const auto drops = words_ | std::views::drop(std::to_underlying(Count::drops));
  return std::accumulate(drops.begin(), drops.end(), std::uint64_t{0});
}

// The reader's half of a sequence lock. All words are atomics, so that a copy torn by a writer is defined (and the
// thread sanitizer, which does not look at fences, has nothing to report); it is thrown away when the number says
// that a write began meanwhile. The fence keeps the second look at the number behind the words' loads.
FlowCounters CounterBlock::sample() const {
  FlowCounters copy;
  for (int attempt = 1;; ++attempt) {
    const auto before = sequence_.load(std::memory_order_acquire);
    if (before % 2 == 0) {
      for (std::size_t i = 0; i < kCountWords; ++i) copy.words_[i] = words_[i].load(std::memory_order_relaxed);
      std::atomic_thread_fence(std::memory_order_acquire);
      if (sequence_.load(std::memory_order_relaxed) == before) return copy;
    }
    if (attempt % kSpins == 0) std::this_thread::yield();  // one core: let the writer finish
  }
}

void CounterBlock::reset() {
  begin();
  for (auto& word : words_) word.store(0, std::memory_order_relaxed);
  set(Count::rtp_payload_type, kNoPayloadType);
  end();
}

CounterBlock* CounterArena::take() {
  if (free_.empty()) {
    auto& chunk = *chunks_.emplace_back(std::make_unique<std::array<CounterBlock, kBlocksPerChunk>>());
    free_.reserve(chunks_.size() * kBlocksPerChunk);  // giving back never allocates
    // Last first, so that they are handed out in order and the four of a call lie side by side.
    for (CounterBlock& block : std::views::reverse(chunk)) free_.push_back(&block);
  }
  CounterBlock* block = free_.back();
  free_.pop_back();
  ++in_use_;
  block->reset();
  return block;
}

void CounterArena::give_back(CounterBlock* block) {
  MR_CHECK(block != nullptr && in_use_ > 0);
  --in_use_;
  free_.push_back(block);
}

}  // namespace millrace::flow
