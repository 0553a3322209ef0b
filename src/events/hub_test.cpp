#include "events/hub.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <regex>
#include <semaphore>
#include <thread>

#include "events/tap.hpp"
#include "events/testing.hpp"

namespace millrace::events {
namespace {

using testing::change;
using testing::lifecycle;
using testing::Reading;
using testing::seconds;
using testing::statistics;
using testing::view_of;

std::vector<std::uint64_t> numbers(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> all(first > last ? 0 : last - first + 1);
  std::iota(all.begin(), all.end(), first);
  return all;
}

struct HubTest : ::testing::Test {
  // This thread is control.
  void start(Settings settings = {}) { hub = Hub::start(settings).value(); }
  void tell(const session::Change& what) {
    hub->tap().on_change(what);
    hub->hand_over();
  }
  void tell_lifecycle(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t i = first; i <= last; ++i) hub->tap().on_change(lifecycle(i));
    hub->hand_over();
  }
  // Turns of control until so many events have their numbers.
  void turn_until(std::uint64_t sequence) {
    const auto deadline = std::chrono::steady_clock::now() + testing::kPatience;
    while (hub->last_sequence() < sequence && std::chrono::steady_clock::now() < deadline) {
      hub->hand_over();
      std::this_thread::yield();
    }
    ASSERT_EQ(hub->last_sequence(), sequence);
  }
  ResumePoint from(std::uint64_t after) { return {.instance = hub->instance(), .after = after}; }
  std::optional<SubscribeError> refusal(ResumePoint point, bool calls = false) {
    return Reading{*hub, {.wants = {}, .calls = calls}, point}.error;
  }

  std::unique_ptr<Hub> hub;
};

// Holds the hub's thread in the filter of a subscription of its own, from construction until open().
class Held {
 public:
  explicit Held(HubTest& test) {
    subscription_ = test.hub
                        ->subscribe({.wants =
                                         [shared = shared_](const Event&) {
                                           if (!shared->held.exchange(true)) {
                                             shared->inside.release();
                                             shared->gate.acquire();
                                           }
                                           return false;
                                         }},
                                    std::nullopt, {})
                        .value();
    test.tell(lifecycle(0));
    shared_->inside.acquire();
  }
  ~Held() { open(); }
  void open() {
    if (!std::exchange(opened_, true)) shared_->gate.release();
  }

 private:
  struct Shared {
    std::binary_semaphore inside{0}, gate{0};
    std::atomic<bool> held{false};
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::unique_ptr<Subscription> subscription_;
  bool opened_ = false;
};

TEST_F(HubTest, numbers_events_from_one_and_tells_them_in_order) {
  start();
  Reading one{*hub}, other{*hub};
  EXPECT_EQ(hub->last_sequence(), 0U);
  tell_lifecycle(11, 15);
  for (Reading* reading : {&one, &other}) {
    ASSERT_TRUE(reading->read(5));
    EXPECT_EQ(reading->sequences(), numbers(1, 5));
    EXPECT_EQ(reading->connections(), numbers(11, 15));
  }
  EXPECT_EQ(one.events[0], other.events[0]) << "readers share an event";
  EXPECT_EQ(hub->last_sequence(), 5U);
  EXPECT_EQ(hub->statistics().events, 5U);
}

TEST_F(HubTest, has_an_instance_that_no_other_hub_has) {
  start();
  const std::regex uuid{"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"};
  EXPECT_TRUE(std::regex_match(hub->instance(), uuid)) << hub->instance();
  EXPECT_NE(Hub::start({}).value()->instance(), hub->instance());
}

TEST_F(HubTest, tells_a_reader_what_its_filter_lets_through) {
  start();
  Reading even{*hub, {.wants = [](const Event& event) { return event.view->id.value() % 2 == 0; }}};
  Reading plain{*hub, {.wants = {}, .calls = false, .statistics = false}};
  tell(lifecycle(1));
  tell(statistics(2));
  tell(lifecycle(3));
  tell(lifecycle(4));
  ASSERT_TRUE(even.read(2));
  EXPECT_EQ(even.sequences(), (std::vector<std::uint64_t>{2, 4}));
  ASSERT_TRUE(plain.read(3));
  EXPECT_EQ(plain.sequences(), (std::vector<std::uint64_t>{1, 3, 4}));
}

TEST_F(HubTest, tells_everything_once_and_in_order_when_the_ring_overflows) {
  start({.history = 64, .queue = 1 << 20});
  constexpr std::uint64_t kCount = 3 * kRingNotes;
  Reading reading{*hub};
  {
    const Held held{*this};
    for (std::uint64_t i = 1; i <= kCount; ++i) {
      hub->tap().on_change(lifecycle(i));
      if (i % 1000 == 0) hub->tap().on_change(statistics(i));  // left out, once the ring is full
    }
  }
  turn_until(1 + kCount + kRingNotes / 1000);
  ASSERT_TRUE(reading.read(1 + kCount + kRingNotes / 1000));
  EXPECT_EQ(reading.sequences(), numbers(1, 1 + kCount + kRingNotes / 1000));
  std::erase_if(reading.events, [](const auto& event) { return event->kind == Kind::statistics; });
  EXPECT_EQ(reading.connections(), numbers(0, kCount));
  EXPECT_EQ(hub->statistics().statistics_left_out, kCount / 1000 - kRingNotes / 1000);
}

TEST_F(HubTest, ends_every_stream_and_begins_the_history_anew_when_it_lost_its_place) {
  start({.history = 64, .queue = 1 << 20});
  Reading reading{*hub};
  {
    const Held held{*this};
    for (std::uint64_t i = 1; i <= kRingNotes + kKeptNotes; ++i) hub->tap().on_change(lifecycle(i));
    hub->tap().on_change(lifecycle(7777));
  }
  const std::uint64_t lost = 1 + kRingNotes + 1;  // the number that stands for what was dropped
  turn_until(lost + 1);
  EXPECT_EQ(reading.read_to_end(), EndOfStream::overrun);
  EXPECT_EQ(reading.sequences(), numbers(1, lost - 1)) << "what the ring held was told";
  EXPECT_EQ(refusal(from(reading.last())), SubscribeError::too_old);
  Reading next{*hub, {}, from(lost)};
  tell(lifecycle(7778));
  ASSERT_TRUE(next.read(2));
  EXPECT_EQ(next.connections(), numbers(7777, 7778));
}

TEST_F(HubTest, leaves_statistics_out_for_a_slow_reader_first_and_then_ends_its_stream) {
  start({.history = 64, .queue = 16});
  Reading slow{*hub}, quick{*hub};  // the hub serves them in this order
  std::size_t told = 0;
  const auto tell_and_wait = [&](const session::Change& what) {
    tell(what);
    ASSERT_TRUE(quick.read(++told));
  };
  for (std::uint64_t i = 1; i <= 8; ++i) tell_and_wait(lifecycle(i));
  tell_and_wait(statistics(9));   // the half is not exceeded yet
  tell_and_wait(statistics(10));  // now it is
  EXPECT_EQ(slow.subscription().left_out(), 1U);
  for (std::uint64_t i = 11; i <= 17; ++i) tell_and_wait(lifecycle(i));
  tell_and_wait(statistics(18));
  EXPECT_EQ(slow.subscription().left_out(), 2U);
  EXPECT_EQ(slow.subscription().end(), EndOfStream::none);
  tell_and_wait(lifecycle(19));  // the seventeenth
  EXPECT_EQ(slow.subscription().end(), EndOfStream::overrun);
  tell_and_wait(lifecycle(20));

  EXPECT_EQ(slow.read_to_end(), EndOfStream::overrun);
  EXPECT_EQ(slow.connections(), (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17}));
  EXPECT_EQ(quick.sequences(), numbers(1, 20));
  EXPECT_EQ(hub->statistics().statistics_left_out, 2U);
  EXPECT_EQ(hub->statistics().streams_overrun, 1U);

  // Nothing of the lifecycle is missing for one that comes back.
  Reading back{*hub, {}, from(slow.last())};
  ASSERT_TRUE(back.read(2));
  EXPECT_EQ(back.connections(), numbers(19, 20));
}

TEST_F(HubTest, says_ready_once_each_time_an_empty_queue_gets_something) {
  start();
  std::atomic<int> calls{0};
  const auto subscription = hub->subscribe({}, std::nullopt, [&] { ++calls; }).value();
  Reading behind{*hub};  // told later of the same event
  tell_lifecycle(1, 3);
  ASSERT_TRUE(behind.read(3));
  EXPECT_EQ(calls, 1);
  while (subscription->take()) {}
  tell(lifecycle(4));
  ASSERT_TRUE(behind.read(4));
  EXPECT_EQ(calls, 2);
  hub->close();
  EXPECT_EQ(behind.read_to_end(), EndOfStream::closing);
  EXPECT_EQ(calls, 3);
}

TEST_F(HubTest, goes_on_for_others_when_a_reader_dies) {
  start();
  auto dying = std::make_unique<Reading>(*hub);
  Reading living{*hub};
  tell_lifecycle(1, 2);
  ASSERT_TRUE(dying->read(1));
  dying.reset();
  EXPECT_EQ(hub->statistics().subscriptions, 1U);
  tell_lifecycle(3, 4);
  ASSERT_TRUE(living.read(4));
  EXPECT_EQ(living.sequences(), numbers(1, 4));
}

TEST_F(HubTest, waits_for_a_ready_under_way_before_a_subscription_is_gone) {
  start();
  std::binary_semaphore inside{0}, gate{0};
  std::atomic<bool> finished{false}, was_finished{false};
  auto subscription = hub->subscribe({}, std::nullopt,
                                     [&] {
                                       inside.release();
                                       gate.acquire();
                                       finished = true;
                                     })
                          .value();
  tell(lifecycle(1));
  inside.acquire();
  std::thread destroyer{[&] {
    subscription.reset();
    was_finished = finished.load();
  }};
  gate.release();
  destroyer.join();
  EXPECT_TRUE(was_finished);
}

TEST_F(HubTest, lets_a_subscription_end_within_its_own_ready) {
  start();
  std::unique_ptr<Subscription> subscription;
  std::binary_semaphore subscribed{0}, done{0};
  subscription = hub->subscribe({}, std::nullopt,
                                [&] {
                                  subscribed.acquire();
                                  subscription.reset();
                                  done.release();
                                })
                     .value();
  subscribed.release();
  Reading other{*hub};
  tell_lifecycle(1, 2);
  ASSERT_TRUE(done.try_acquire_for(testing::kPatience));
  ASSERT_TRUE(other.read(2));
  EXPECT_EQ(hub->statistics().subscriptions, 1U);
}

TEST_F(HubTest, resumes_after_any_number_without_a_gap_or_a_double) {
  start({.history = 64, .queue = 16});  // and what was missed may be more than the queue holds
  for (std::uint64_t i = 1; i <= 40; ++i) tell(i % 4 == 0 ? statistics(i) : lifecycle(i));
  turn_until(40);
  for (std::uint64_t after = 0; after <= 40; ++after) {
    const std::uint64_t last = hub->last_sequence();
    std::vector<std::uint64_t> expected;
    for (std::uint64_t i = after + 1; i <= last; ++i) {
      if (i > 40 || i % 4 != 0) expected.push_back(i);  // statistics are not kept
    }
    expected.push_back(last + 1);
    Reading reading{*hub, {}, from(after)};
    tell(lifecycle(last + 1));
    ASSERT_TRUE(reading.read(expected.size()));
    // The history holds 64 in all: everything is still there.
    EXPECT_EQ(reading.sequences(), expected) << "after " << after;
  }
}

TEST_F(HubTest, refuses_to_resume_where_it_cannot_be_exact) {
  start({.history = 64, .queue = 128});
  tell_lifecycle(1, 66);
  turn_until(66);
  struct Case {
    std::string_view name;
    ResumePoint point;
    std::optional<SubscribeError> error;
  };
  const std::vector<Case> cases{
      {"another process",
       {.instance = "e7b1c1f0-0000-4000-8000-000000000000", .after = 66},
       SubscribeError::other_instance},
      {"no process", {.instance = "", .after = 66}, SubscribeError::other_instance},
      {"event 1 is still kept nowhere", from(0), SubscribeError::too_old},
      {"event 2 is missing", from(1), SubscribeError::too_old},
      {"event 3 is the oldest kept", from(2), std::nullopt},
      {"the last", from(66), std::nullopt},
      {"the next", from(67), SubscribeError::not_yet},
      {"the largest", from(~std::uint64_t{0}), SubscribeError::not_yet},
  };
  for (const Case& c : cases) EXPECT_EQ(refusal(c.point), c.error) << c.name;
}

TEST_F(HubTest, refuses_one_reader_too_many_until_another_leaves) {
  start();
  std::vector<std::unique_ptr<Subscription>> all;
  for (std::size_t i = 0; i < kMaxSubscriptions; ++i) all.push_back(hub->subscribe({}, std::nullopt, {}).value());
  EXPECT_EQ(Reading{*hub}.error, SubscribeError::too_many);
  all.pop_back();
  EXPECT_EQ(Reading{*hub}.error, std::nullopt);
  EXPECT_EQ(hub->statistics().subscriptions, kMaxSubscriptions - 1);
}

TEST_F(HubTest, notes_calls_only_while_somebody_asks_and_a_while_beyond) {
  start();
  const auto asked = [&] {
    return hub->tap().wants({.kind = session::ChangeKind::created, .call_id = "", .session = false});
  };
  const auto session_at = [&](seconds at) { tell(change(session::ConnectionUpdated{}, view_of(1), at)); };
  const auto call_at = [&](seconds at) { tell(change(session::ConnectionCreated{}, view_of(2, false), at)); };
  Reading sessions{*hub};
  EXPECT_FALSE(asked());
  call_at(seconds{100});
  EXPECT_EQ(refusal(from(0), true), SubscribeError::too_old) << "calls were not noted";

  auto calls = std::make_unique<Reading>(*hub, Filter{.wants = {}, .calls = true});
  EXPECT_TRUE(asked());
  call_at(seconds{100});
  session_at(seconds{100});
  ASSERT_TRUE(calls->read(2));
  const std::uint64_t seen = calls->last();
  EXPECT_FALSE(calls->events[0]->view->session);
  calls.reset();

  // One that lost its stream resumes.
  call_at(seconds{159});
  Reading back{*hub, {.wants = {}, .calls = true}, from(seen)};
  ASSERT_FALSE(back.error);
  ASSERT_TRUE(back.read(1));
  EXPECT_FALSE(back.events[0]->view->session);
  back.leave();
  EXPECT_TRUE(asked());

  session_at(seconds{220});
  ASSERT_TRUE(sessions.read(2));
  EXPECT_FALSE(asked());
  EXPECT_EQ(refusal(from(hub->last_sequence()), true), SubscribeError::too_old);
  for (const auto& event : sessions.events) EXPECT_TRUE(event->view->session);
}

TEST_F(HubTest, does_not_resume_across_a_time_in_which_calls_were_not_noted) {
  start();
  tell(lifecycle(1));
  turn_until(1);
  const Reading first{*hub, {.wants = {}, .calls = true}};
  EXPECT_EQ(refusal(from(1), true), SubscribeError::too_old);
  EXPECT_EQ(refusal(from(1), false), std::nullopt);
  EXPECT_EQ(refusal(from(hub->last_sequence()), true), std::nullopt);
}

TEST_F(HubTest, delivers_everything_noted_before_it_ends_streams_at_close) {
  start({.history = 64, .queue = 1 << 20});
  Reading reading{*hub};
  {
    const Held held{*this};
    tell_lifecycle(1, kRingNotes + 100);  // a hundred of them wait at the tap
    hub->close();
    hub->tap().on_change(lifecycle(1));
    EXPECT_EQ(Reading{*hub}.error, SubscribeError::closing);
  }
  EXPECT_EQ(reading.read_to_end(), EndOfStream::closing);
  EXPECT_EQ(reading.connections(), numbers(0, kRingNotes + 100));
  hub->close();
}

TEST_F(HubTest, may_be_gone_before_its_readers) {
  start();
  Reading reading{*hub};
  tell(lifecycle(1));
  hub.reset();
  EXPECT_EQ(reading.read_to_end(), EndOfStream::closing);
  EXPECT_EQ(reading.sequences(), numbers(1, 1));
}

TEST_F(HubTest, lets_readers_come_and_go_while_events_flow) {
  start({.history = 64, .queue = 1 << 20});
  std::atomic<int> visits{0};
  std::vector<std::thread> visitors;
  for (int i = 0; i < 4; ++i) {
    visitors.emplace_back([&] {
      for (int visit = 0; visit < 50; ++visit) {
        Reading reading{*hub};
        EXPECT_TRUE(reading.read(5));
        const auto seen = reading.sequences();
        EXPECT_EQ(seen, seen.empty() ? seen : numbers(seen.front(), seen.back()));
        ++visits;
      }
    });
  }
  while (visits < 200) {
    tell(lifecycle(1));
    std::this_thread::yield();
  }
  for (std::thread& visitor : visitors) visitor.join();
  EXPECT_EQ(hub->statistics().subscriptions, 0U);
}

TEST_F(HubTest, resumes_exactly_while_events_flow) {
  start({.history = 1 << 20, .queue = 1 << 20});
  constexpr std::uint64_t kCount = 20'000;
  std::vector<std::thread> readers;
  std::atomic<int> arrived{0};
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&, i] {
      std::vector<std::uint64_t> all;
      int lives = 0;
      for (std::uint64_t last = 0; last < kCount; ++lives) {
        Reading reading{*hub, {}, from(last)};
        if (lives == 0) ++arrived;
        ASSERT_TRUE(reading.read(std::min<std::uint64_t>(100 + 37U * static_cast<unsigned>(i), kCount - last)));
        for (const std::uint64_t number : reading.sequences()) all.push_back(number);
        last = reading.last();
      }
      EXPECT_EQ(all, numbers(1, kCount));
    });
  }
  while (arrived < 3) std::this_thread::yield();
  for (std::uint64_t i = 1; i <= kCount; ++i) {
    hub->tap().on_change(lifecycle(i));
    if (i % 16 == 0) hub->hand_over();
  }
  turn_until(kCount);
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace millrace::events
