#include "mrload/setup_plan.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

namespace millrace::mrload {
namespace {

constexpr Action offer(std::uint32_t call) { return {Step::offer, call}; }
constexpr Action answer(std::uint32_t call) { return {Step::answer, call}; }
constexpr Action remove(std::uint32_t call) { return {Step::remove, call}; }

// Every request is answered before the next one is asked for.
std::vector<Action> one_by_one(SetupPlan& plan) {
  std::vector<Action> actions;
  while (const auto action = plan.next()) {
    actions.push_back(*action);
    plan.done(*action);
  }
  return actions;
}

TEST(SetupPlan, offers_then_answers_each_call) {
  SetupPlan plan{2, 2};
  EXPECT_EQ(one_by_one(plan), (std::vector{offer(0), answer(0), offer(1), answer(1)}));
  EXPECT_TRUE(plan.all_established());
  plan.tear_down();
  EXPECT_EQ(one_by_one(plan), (std::vector{remove(0), remove(1)}));
  EXPECT_EQ(plan.open(), 0u);
}

TEST(SetupPlan, removes_the_oldest_call_at_the_limit) {
  SetupPlan plan{3, 1};
  EXPECT_EQ(one_by_one(plan),
            (std::vector{offer(0), answer(0), remove(0), offer(1), answer(1), remove(1), offer(2), answer(2)}));
}

TEST(SetupPlan, never_answers_before_the_offer_was_and_never_removes_a_call_half_made) {
  SetupPlan plan{2, 1};
  EXPECT_EQ(plan.next(), offer(0));
  EXPECT_FALSE(plan.next());
  plan.tear_down();
  EXPECT_FALSE(plan.next());
  plan.done(offer(0));
  EXPECT_EQ(plan.next(), answer(0));
  EXPECT_FALSE(plan.next());
  plan.done(answer(0));
  EXPECT_EQ(plan.next(), remove(0));
}

TEST(SetupPlan, stays_below_the_limit_with_many_requests_outstanding) {
  constexpr std::uint32_t kTotal = 500, kAlive = 40, kWindow = 64;
  SetupPlan plan{kTotal, kAlive};
  std::deque<Action> outstanding;
  while (!plan.all_established() || !outstanding.empty()) {
    while (outstanding.size() < kWindow) {
      const auto action = plan.next();
      if (!action) break;
      outstanding.push_back(*action);
    }
    ASSERT_FALSE(outstanding.empty()) << "stuck after " << plan.established() << " calls";
    plan.done(outstanding.front());
    outstanding.pop_front();
  }
  EXPECT_EQ(plan.most_open(), kAlive);
  plan.tear_down();
  EXPECT_EQ(one_by_one(plan).size(), plan.established() < kAlive ? 0u : kAlive);
  EXPECT_EQ(plan.open(), 0u);
}

}  // namespace
}  // namespace millrace::mrload
