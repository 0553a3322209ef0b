#include "flow/counters.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string_view>
#include <thread>
#include <vector>

namespace millrace::flow {
namespace {

TEST(Counters, a_sample_is_what_was_written) {
  CounterArena arena;
  CounterBlock& block = *arena.take();
  block.begin();
  block.add(Count::packets_in);
  block.add(Count::bytes_in, 172);
  block.set(Count::rtp_jitter_average, 1500);
  block.end();
  block.drop(Drop::wrong_source);
  block.drop(Drop::wrong_source);
  block.drop(Drop::limit);

  const FlowCounters sample = block.sample();
  EXPECT_EQ(sample[Count::packets_in], 1u);
  EXPECT_EQ(sample[Count::bytes_in], 172u);
  EXPECT_EQ(sample[Count::rtp_jitter_average], 1500u);
  EXPECT_EQ(sample[Count::packets_out], 0u);
  EXPECT_EQ(sample[Drop::wrong_source], 2u);
  EXPECT_EQ(sample[Drop::limit], 1u);
  EXPECT_EQ(sample[Drop::not_complete], 0u);
  EXPECT_EQ(sample.dropped(), 3u);
}

TEST(Counters, every_drop_has_a_word_and_a_name_of_its_own) {
  CounterArena arena;
  CounterBlock& block = *arena.take();
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    const auto reason = static_cast<Drop>(i);
    for (std::size_t times = 0; times <= i; ++times) block.drop(reason);
    EXPECT_EQ(block.get(reason), i + 1);
    names.insert(name_of(reason));
  }
  EXPECT_EQ(names.size(), kDropReasons);
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_EQ(block.sample().dropped(), kDropReasons * (kDropReasons + 1) / 2);
}

TEST(Counters, a_block_that_is_taken_again_starts_anew) {
  CounterArena arena;
  CounterBlock* block = arena.take();
  EXPECT_EQ(block->sample()[Count::rtp_payload_type], kNoPayloadType);
  block->set(Count::rtp_payload_type, 8);
  block->add(Count::packets_in, 7);
  block->drop(Drop::limit);
  arena.give_back(block);
  ASSERT_EQ(arena.take(), block);
  EXPECT_EQ(block->sample()[Count::packets_in], 0u);
  EXPECT_EQ(block->sample()[Count::rtp_payload_type], kNoPayloadType);
  EXPECT_EQ(block->sample().dropped(), 0u);
}

TEST(CounterArena, blocks_never_move_and_are_never_shared) {
  CounterArena arena;
  std::vector<CounterBlock*> taken;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    taken.push_back(arena.take());
    taken.back()->set(Count::bytes_in, i);
  }
  EXPECT_EQ(arena.in_use(), 1000u);
  EXPECT_EQ(std::set(taken.begin(), taken.end()).size(), 1000u);
  for (std::uint64_t i = 0; i < 1000; ++i) EXPECT_EQ(taken[i]->get(Count::bytes_in), i);
  EXPECT_EQ(taken[1], taken[0] + 1) << "the ports of a call lie side by side";

  for (CounterBlock* block : taken) arena.give_back(block);
  EXPECT_EQ(arena.in_use(), 0u);
  const std::set<CounterBlock*> known(taken.begin(), taken.end());
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(known.contains(arena.take())) << "what came back is used first";
}

// The writer keeps every word equal; a sample that caught it half way would show two values.
TEST(Counters, a_sample_taken_while_another_thread_writes_agrees_with_itself) {
  constexpr std::uint64_t kWrites = 200'000;
  CounterArena arena;
  CounterBlock& block = *arena.take();
  block.set(Count::rtp_payload_type, 0);
  std::atomic<bool> reading{false};
  std::thread writer{[&block, &reading] {
    while (!reading.load()) std::this_thread::yield();
    for (std::uint64_t value = 1; value <= kWrites; ++value) {
      block.begin();
      for (std::size_t word = 0; word < kCountWords; ++word) block.set(static_cast<Count>(word), value);
      block.end();
    }
  }};
  std::uint64_t torn = 0, last = 0, distinct = 0;
  reading = true;
  while (last < kWrites) {
    const FlowCounters sample = block.sample();
    const auto value = sample[Count::packets_in];
    for (std::size_t word = 0; word < kCountWords; ++word) torn += sample[static_cast<Count>(word)] != value;
    EXPECT_GE(value, last) << "counters only grow";
    distinct += value != last;
    last = value;
  }
  writer.join();
  EXPECT_EQ(torn, 0u);
  EXPECT_GE(distinct, 1u);
}

}  // namespace
}  // namespace millrace::flow
