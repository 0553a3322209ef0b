#include "events/tap.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include "events/testing.hpp"

namespace millrace::events {
namespace {

using session::ChangeKind;
using session::EndReason;
using session::State;
using testing::change;
using testing::lifecycle;
using testing::statistics;
using testing::view_of;

struct TapTest : ::testing::Test {
  Bell bell = Bell::create().value();
  Ring ring;
  std::atomic<bool> calls{false};
  Tap tap{ring, bell, calls};

  void fill_ring() {
    for (std::uint64_t i = 1; i <= kRingNotes; ++i) tap.on_change(lifecycle(i));
  }
  // Pops what is there; 0 stands for the news of a loss.
  std::vector<std::uint64_t> pop_all() {
    std::vector<std::uint64_t> connections;
    while (const auto note = ring.try_pop()) connections.push_back(note->lost ? 0 : note->event.view->id.value());
    return connections;
  }
};

TEST_F(TapTest, puts_each_change_into_words_for_people) {
  struct Case {
    std::string_view name;
    testing::What what;
    State state;
    std::string error, note;
    Kind kind;
    std::string_view description;
    std::optional<EndReason> end;
  };
  const std::vector<Case> cases{
      {"created", session::ConnectionCreated{}, State::connecting, "", "", Kind::created, "created", {}},
      {"with a note",
       session::ConnectionCreated{},
       State::connecting,
       "",
       "runs without RTCP: port taken",
       Kind::created,
       "created; runs without RTCP: port taken",
       {}},
      {"completed",
       session::ConnectionCompleted{},
       State::connecting,
       "",
       "",
       Kind::updated,
       "both parties have their ports",
       {}},
      {"updated", session::ConnectionUpdated{}, State::active, "", "", Kind::updated, "changed by a command", {}},
      {"active", session::StateChanged{"first packet"}, State::active, "", "", Kind::state_changed, "first packet", {}},
      {"failed",
       session::StateChanged{"connect 192.0.2.1:80: Connection refused"},
       State::failed,
       "refused",
       "",
       Kind::failed,
       "connect 192.0.2.1:80: Connection refused",
       {}},
      {"failed without a reason", session::StateChanged{""}, State::failed, "refused", "", Kind::failed, "refused", {}},
      {"statistics", session::StatisticsDue{}, State::active, "", "", Kind::statistics, "statistics", {}},
      {"ended", session::ConnectionEnded{.reason = EndReason::idle_timeout, .notify = {}, .counters = {}},
       State::closed, "", "", Kind::closed, "closed: no media for too long", EndReason::idle_timeout},
  };
  for (const Case& c : cases) {
    const auto view = view_of(7);
    view->state = c.state;
    view->error = c.error;
    view->note = c.note;
    tap.on_change(change(c.what, view, testing::seconds{42}));
    const auto note = ring.try_pop();
    ASSERT_TRUE(note) << c.name;
    EXPECT_EQ(note->event.kind, c.kind) << c.name;
    EXPECT_EQ(note->event.description, c.description) << c.name;
    EXPECT_EQ(note->event.end, c.end) << c.name;
    EXPECT_EQ(note->event.at, WallTime{testing::seconds{42}}) << c.name;
    EXPECT_EQ(note->event.view, view) << c.name;
  }
}

TEST_F(TapTest, wants_everything_of_sessions_but_what_was_learned_and_calls_only_when_asked) {
  for (const bool asked : {false, true}) {
    calls = asked;
    for (const auto kind : {ChangeKind::created, ChangeKind::completed, ChangeKind::updated, ChangeKind::learned,
                            ChangeKind::ended, ChangeKind::state, ChangeKind::statistics}) {
      const bool event = kind != ChangeKind::learned;
      EXPECT_EQ(tap.wants({.kind = kind, .call_id = "", .session = true}), event);
      EXPECT_EQ(tap.wants({.kind = kind, .call_id = "", .session = false}), event && asked);
    }
  }
  EXPECT_TRUE(tap.wants_view());
}

TEST_F(TapTest, passes_over_what_only_another_listener_wanted) {
  tap.on_change(change(session::ConnectionCreated{}, nullptr));
  tap.on_change(change(session::ConnectionCreated{}, view_of(1, false)));
  tap.on_change(change(session::RemoteLearned{}, view_of(1)));
  EXPECT_TRUE(ring.empty());
}

TEST_F(TapTest, keeps_lifecycle_in_order_while_the_ring_is_full_and_leaves_statistics_out) {
  fill_ring();
  tap.on_change(lifecycle(kRingNotes + 1));
  tap.on_change(statistics(kRingNotes + 1));
  EXPECT_EQ(tap.left_out(), 1U);

  // There is room again: what waits goes first, and nothing overtakes it.
  EXPECT_EQ(ring.try_pop()->event.view->id.value(), 1U);
  tap.on_change(lifecycle(kRingNotes + 2));
  tap.on_change(statistics(kRingNotes + 2));
  EXPECT_EQ(tap.left_out(), 2U);

  std::vector<std::uint64_t> expected;
  for (std::uint64_t i = 2; i <= kRingNotes + 1; ++i) expected.push_back(i);
  EXPECT_EQ(pop_all(), expected);
  tap.hand_over();
  EXPECT_EQ(pop_all(), std::vector<std::uint64_t>{kRingNotes + 2});
  tap.on_change(statistics(5));
  EXPECT_EQ(pop_all(), std::vector<std::uint64_t>{5});
}

TEST_F(TapTest, tells_that_it_lost_what_went_beyond_its_bound) {
  fill_ring();
  for (std::uint64_t i = 0; i < kKeptNotes; ++i) tap.on_change(lifecycle(1));
  tap.on_change(lifecycle(100));
  tap.on_change(lifecycle(101));
  EXPECT_EQ(pop_all().size(), kRingNotes);
  tap.hand_over();
  EXPECT_EQ(pop_all(), (std::vector<std::uint64_t>{0, 100, 101}));
}

TEST_F(TapTest, gives_up_what_waits_when_it_is_closed_and_notes_nothing_more) {
  fill_ring();
  tap.on_change(lifecycle(100));
  EXPECT_EQ(tap.close().size(), 1U);
  EXPECT_FALSE(tap.wants({.kind = ChangeKind::created, .call_id = "", .session = true}));
  pop_all();
  tap.on_change(lifecycle(101));
  tap.hand_over();
  EXPECT_TRUE(ring.empty());
}

}  // namespace
}  // namespace millrace::events
