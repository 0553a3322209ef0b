#include "control/transport/connection_limit.hpp"

#include <gtest/gtest.h>

namespace millrace::control::transport {
namespace {

TEST(ConnectionLimit, the_longest_silent_connection_makes_room) {
  ConnectionLimit limit{2};
  int evicted = 0;
  auto spoke = limit.enter([&] { evicted = 1; });
  spoke.has_spoken();
  auto silent = limit.enter([&] { evicted = 2; });
  EXPECT_TRUE(limit.enter([] {}));
  EXPECT_EQ(evicted, 2);
}

TEST(ConnectionLimit, those_that_work_are_never_evicted_and_the_new_one_is_turned_away) {
  ConnectionLimit limit{2};
  auto spoke = limit.enter([] { FAIL(); });
  spoke.has_spoken();
  auto listener = limit.enter(nullptr);
  EXPECT_FALSE(limit.enter([] {}));
  EXPECT_EQ(limit.in_use(), 2u);
}

TEST(ConnectionLimit, a_place_is_free_again_when_its_connection_goes) {
  ConnectionLimit limit{1};
  { auto first = limit.enter(nullptr); }
  EXPECT_TRUE(limit.enter(nullptr));
  EXPECT_EQ(limit.in_use(), 0u);
}

}  // namespace
}  // namespace millrace::control::transport
