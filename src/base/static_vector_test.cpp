#include "base/static_vector.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace millrace {
namespace {

template <std::size_t N>
std::vector<int> items(const StaticVector<int, N>& list) {
  return {list.begin(), list.end()};
}

TEST(StaticVector, holds_up_to_its_capacity) {
  StaticVector<int, 3> list;
  EXPECT_TRUE(list.empty());
  for (const int value : {1, 2, 3}) EXPECT_EQ(list.push_back(value), value);
  EXPECT_TRUE(list.full());
  EXPECT_EQ(items(list), (std::vector{1, 2, 3}));
  EXPECT_EQ(list.back(), 3);
  EXPECT_EQ(list[1], 2);
  list.clear();
  EXPECT_TRUE(list.empty());
}

TEST(StaticVector, erasing_keeps_the_order_of_the_rest) {
  struct Case {
    std::size_t index;
    std::vector<int> left;
  };
  for (const Case& c : {Case{0, {2, 3}}, Case{1, {1, 3}}, Case{2, {1, 2}}}) {
    StaticVector<int, 3> list;
    for (const int value : {1, 2, 3}) list.push_back(value);
    list.erase_at(c.index);
    EXPECT_EQ(items(list), c.left);
  }
}

TEST(StaticVector, lets_go_of_what_is_erased_or_cleared) {
  const auto value = std::make_shared<int>(1);
  StaticVector<std::shared_ptr<int>, 2> list;
  list.push_back(value);
  list.push_back(value);
  list.erase_at(0);
  EXPECT_EQ(value.use_count(), 2);
  list.clear();
  EXPECT_EQ(value.use_count(), 1);
}

TEST(StaticVectorDeathTest, pushing_past_the_end_is_our_own_mistake) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  StaticVector<int, 1> list;
  list.push_back(1);
  EXPECT_DEATH(list.push_back(2), "internal check failed");
  EXPECT_DEATH(list.erase_at(1), "internal check failed");
}

}  // namespace
}  // namespace millrace
