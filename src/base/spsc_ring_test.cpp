#include "base/spsc_ring.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <thread>

namespace millrace {
namespace {

TEST(SpscRing, gives_values_back_in_order_across_its_end) {
  SpscRing<int, 4> ring;
  EXPECT_TRUE(ring.empty());
  EXPECT_FALSE(ring.try_pop());
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(ring.try_push(round * 3 + i));
    EXPECT_FALSE(ring.empty());
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ring.try_pop(), round * 3 + i);
  }
  EXPECT_TRUE(ring.empty());
}

TEST(SpscRing, refuses_when_full_and_leaves_the_value_with_its_owner) {
  SpscRing<std::unique_ptr<int>, 2> ring;
  EXPECT_TRUE(ring.try_push(std::make_unique<int>(1)));
  EXPECT_TRUE(ring.try_push(std::make_unique<int>(2)));
  auto third = std::make_unique<int>(3);
  EXPECT_FALSE(ring.try_push(std::move(third)));
  ASSERT_NE(third, nullptr);
  EXPECT_EQ(**ring.try_pop(), 1);
  EXPECT_TRUE(ring.try_push(std::move(third)));
  EXPECT_EQ(**ring.try_pop(), 2);
  EXPECT_EQ(**ring.try_pop(), 3);
}

TEST(SpscRing, keeps_nothing_of_what_was_popped) {
  SpscRing<std::shared_ptr<int>, 2> ring;
  auto value = std::make_shared<int>(1);
  EXPECT_TRUE(ring.try_push(std::shared_ptr{value}));
  EXPECT_EQ(value.use_count(), 2);
  (void)ring.try_pop();
  EXPECT_EQ(value.use_count(), 1) << "a slot must not keep a resource alive until it is used again";
}

TEST(SpscRing, destroys_what_is_still_inside) {
  auto value = std::make_shared<int>(1);
  {
    SpscRing<std::shared_ptr<int>, 2> ring;
    EXPECT_TRUE(ring.try_push(std::shared_ptr{value}));
  }
  EXPECT_EQ(value.use_count(), 1);
}

TEST(SpscRing, carries_everything_between_two_threads) {
  constexpr std::uint64_t kValues = 50'000;
  SpscRing<std::unique_ptr<std::uint64_t>, 64> ring;
  std::jthread producer{[&ring] {
    for (std::uint64_t i = 0; i < kValues; ++i) {
      auto value = std::make_unique<std::uint64_t>(i);
      while (!ring.try_push(std::move(value))) std::this_thread::yield();
    }
  }};
  for (std::uint64_t expected = 0; expected < kValues;) {
    const auto value = ring.try_pop();
    if (!value) {
      std::this_thread::yield();
      continue;
    }
    ASSERT_EQ(**value, expected++);
  }
  EXPECT_TRUE(ring.empty());
}

}  // namespace
}  // namespace millrace
