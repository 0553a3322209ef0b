#include "control/inbox.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <numeric>
#include <thread>
#include <utility>

#include "session/testing.hpp"

namespace millrace::control {
namespace {

struct InboxTest : ::testing::Test {
  bool run() {
    return inbox->run(world.calls, [this] { return world.now; });
  }
  bool post_number(int number) {
    return inbox->post([this, number](session::Calls&, Now) { done.push_back(number); });
  }
  [[nodiscard]] bool rung() const {
    pollfd bell{.fd = inbox->event_fd(), .events = POLLIN, .revents = 0};
    return ::poll(&bell, 1, 0) == 1;
  }
  static std::vector<int> numbers(std::size_t count) {
    std::vector<int> all(count);
    std::iota(all.begin(), all.end(), 0);
    return all;
  }

  session::testing::World world;
  std::unique_ptr<Inbox> inbox = Inbox::create().value();
  std::vector<int> done;
};

TEST_F(InboxTest, runs_jobs_in_order_with_the_calls_and_the_time) {
  EXPECT_TRUE(inbox->post([&](session::Calls& calls, Now now) {
    EXPECT_EQ(&calls, &world.calls);
    EXPECT_EQ(now.wall, world.now.wall);
    done.push_back(0);
  }));
  for (int i = 1; i < 5; ++i) EXPECT_TRUE(post_number(i));
  EXPECT_TRUE(done.empty()) << "only control runs them";
  EXPECT_FALSE(run());
  EXPECT_EQ(done, numbers(5));
}

TEST_F(InboxTest, rings_once_for_what_comes_before_control_listens) {
  EXPECT_FALSE(rung());
  EXPECT_TRUE(post_number(0));
  EXPECT_TRUE(post_number(1));
  EXPECT_TRUE(rung());
  EXPECT_FALSE(run());
  EXPECT_FALSE(rung());
  EXPECT_TRUE(post_number(2));
  EXPECT_TRUE(rung());
}

TEST_F(InboxTest, refuses_what_goes_beyond_its_bound) {
  for (std::size_t i = 0; i < kInboxJobs; ++i) ASSERT_TRUE(post_number(static_cast<int>(i)));
  EXPECT_FALSE(post_number(-1));

  // What control took out of the queue, and has not run, waits too.
  EXPECT_TRUE(run());
  for (std::size_t i = 0; i < kJobsPerBatch; ++i) ASSERT_TRUE(post_number(static_cast<int>(kInboxJobs + i)));
  EXPECT_FALSE(post_number(-1));
  while (run()) {}
  EXPECT_EQ(done, numbers(kInboxJobs + kJobsPerBatch));
  EXPECT_TRUE(post_number(-1));
}

TEST_F(InboxTest, gives_others_their_turn_after_a_batch) {
  for (std::size_t i = 0; i < 2 * kJobsPerBatch + 1; ++i) ASSERT_TRUE(post_number(static_cast<int>(i)));
  EXPECT_TRUE(run());
  EXPECT_EQ(done.size(), kJobsPerBatch);
  EXPECT_TRUE(post_number(static_cast<int>(2 * kJobsPerBatch + 1)));
  EXPECT_TRUE(run());
  EXPECT_EQ(done.size(), 2 * kJobsPerBatch);
  EXPECT_TRUE(run()) << "one of the batch is done, one came since";
  EXPECT_FALSE(run());
  EXPECT_EQ(done, numbers(2 * kJobsPerBatch + 2));
}

TEST_F(InboxTest, lets_a_job_post_another) {
  EXPECT_TRUE(inbox->post([this](session::Calls&, Now) {
    done.push_back(0);
    EXPECT_TRUE(post_number(1));
  }));
  EXPECT_TRUE(run());
  EXPECT_FALSE(run());
  EXPECT_EQ(done, numbers(2));
}

TEST_F(InboxTest, destroys_without_running_what_waits_when_it_is_closed) {
  const auto witness = std::make_shared<int>(0);
  for (std::size_t i = 0; i < kJobsPerBatch + 10; ++i) {
    ASSERT_TRUE(inbox->post([this, witness](session::Calls&, Now) { done.push_back(1); }));
  }
  EXPECT_TRUE(run());  // ten are left of the batch
  ASSERT_TRUE(inbox->post([this, witness](session::Calls&, Now) { done.push_back(1); }));
  inbox->close();
  EXPECT_EQ(witness.use_count(), 1);
  EXPECT_FALSE(post_number(2));
  EXPECT_FALSE(run());
  EXPECT_EQ(done.size(), kJobsPerBatch);
}

// A refused or dropped job tells whoever waits for it from its destructor, which may post once more.
TEST_F(InboxTest, may_be_closed_by_a_job_and_asked_again_by_a_dropped_one) {
  struct Asks {
    Inbox* inbox;
    int* refused;
    ~Asks() {
      *refused += inbox->post([](session::Calls&, Now) {}) ? 0 : 1;
    }
  };
  int refused = 0;
  EXPECT_TRUE(inbox->post([this](session::Calls&, Now) { inbox->close(); }));
  auto asks = std::make_shared<Asks>(inbox.get(), &refused);
  EXPECT_TRUE(inbox->post([asks = std::move(asks)](session::Calls&, Now) { FAIL() << "it was dropped"; }));
  EXPECT_FALSE(run());
  EXPECT_EQ(refused, 1);
}

TEST_F(InboxTest, keeps_the_order_of_each_of_several_threads) {
  constexpr int kThreads = 4, kEach = 5'000;
  std::vector<std::pair<int, int>> ran;
  std::vector<std::thread> posters;
  for (int thread = 0; thread < kThreads; ++thread) {
    posters.emplace_back([&, thread] {
      for (int i = 0; i < kEach; ++i) {
        while (!inbox->post([&ran, thread, i](session::Calls&, Now) { ran.emplace_back(thread, i); })) {
          std::this_thread::yield();
        }
      }
    });
  }
  // Control sleeps until it is rung, so a ring that is missing shows as a time-out.
  while (ran.size() < std::size_t{kThreads} * kEach) {
    pollfd bell{.fd = inbox->event_fd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&bell, 1, 30'000), 1);
    while (run()) {}
  }
  for (std::thread& poster : posters) poster.join();
  std::array<int, kThreads> next{};
  for (const auto& [thread, i] : ran) EXPECT_EQ(i, next[static_cast<std::size_t>(thread)]++);
}

}  // namespace
}  // namespace millrace::control
