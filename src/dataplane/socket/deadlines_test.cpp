#include "dataplane/socket/deadlines.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>

namespace millrace::dataplane {
namespace {

TimePoint at(int ms) { return TimePoint{std::chrono::milliseconds{ms}}; }

TEST(Deadlines, come_due_in_order_and_once) {
  std::array<Deadline, 3> three;
  Deadlines deadlines;
  deadlines.set(three[0], at(30));
  deadlines.set(three[1], at(10));
  deadlines.set(three[2], at(20));
  EXPECT_EQ(deadlines.first(), at(10));
  EXPECT_EQ(deadlines.take_due(at(9)), nullptr);
  EXPECT_EQ(deadlines.take_due(at(25)), &three[1]);
  EXPECT_EQ(deadlines.take_due(at(25)), &three[2]);
  EXPECT_EQ(deadlines.take_due(at(25)), nullptr);
  EXPECT_FALSE(three[1].is_set());
  deadlines.clear(three[0]);
  deadlines.clear(three[0]);
  EXPECT_TRUE(deadlines.empty());
  EXPECT_EQ(deadlines.first(), std::nullopt);
}

// Against a sorted map that does the same.
TEST(Deadlines, keep_their_order_however_they_are_set_moved_and_cleared) {
  std::mt19937 random{7};
  std::array<Deadline, 50> many;
  Deadlines deadlines;
  std::map<Deadline*, TimePoint> model;
  for (int step = 0; step < 20'000; ++step) {
    Deadline& one = many[random() % many.size()];
    switch (random() % 3) {
      case 0: {
        const TimePoint when = at(static_cast<int>(random() % 100));
        deadlines.set(one, when);
        model[&one] = when;
        break;
      }
      case 1:
        deadlines.clear(one);
        model.erase(&one);
        break;
      default: {
        const TimePoint now = at(static_cast<int>(random() % 100));
        Deadline* due = deadlines.take_due(now);
        if (due == nullptr) break;
        ASSERT_LE(model.at(due), now);
        for (const auto& [other, when] : model) ASSERT_GE(when, model.at(due));
        model.erase(due);
      }
    }
    ASSERT_EQ(deadlines.size(), model.size());
    for (Deadline& each : many) ASSERT_EQ(each.is_set(), model.contains(&each));
  }
  while (deadlines.take_due(at(1000)) != nullptr) continue;
}

}  // namespace
}  // namespace millrace::dataplane
