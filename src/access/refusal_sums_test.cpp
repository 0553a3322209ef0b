#include "access/refusal_sums.hpp"

#include <gtest/gtest.h>

namespace millrace::access {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1000s};

AuditEntry refused(std::string_view peer, std::string_view identity = {}) {
  return {.identity = identity,
          .peer = peer,
          .protocol = "grpc",
          .command = "ListSessions",
          .session = {},
          .result = "UNAUTHENTICATED",
          .reason = "nobody has this token",
          .unasked = true};
}

int lines(RefusalSums& sums, const AuditEntry& entry, TimePoint now, int attempts) {
  int lines = 0;
  for (int i = 0; i < attempts; ++i) lines += sums.take(entry, now, WallTime{}) ? 1 : 0;
  return lines;
}

TEST(RefusalSums, some_at_once_and_one_a_second_have_lines_of_their_own) {
  RefusalSums sums;
  EXPECT_EQ(lines(sums, refused("192.0.2.7:1"), kStart, 1000), kRefusalBurst);
  EXPECT_EQ(lines(sums, refused("192.0.2.7:1"), kStart + 999ms, 1000), 0);
  EXPECT_EQ(lines(sums, refused("192.0.2.7:1"), kStart + 1s, 1000), 1);
}

TEST(RefusalSums, the_rest_become_one_line_after_a_while_or_at_the_end) {
  RefusalSums sums;
  (void)lines(sums, refused("192.0.2.7:1"), kStart, kRefusalBurst + 317);
  EXPECT_TRUE(sums.due(kStart + 9s, WallTime{}, false).empty());
  const auto due = sums.due(kStart + kSumEvery, WallTime{5s}, false);
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].at, WallTime{5s});
  EXPECT_EQ(due[0].peer, "192.0.2.7:1");
  EXPECT_EQ(due[0].result, "UNAUTHENTICATED");
  EXPECT_EQ(due[0].reason, "317 more like this one: nobody has this token");
  EXPECT_TRUE(sums.due(kStart + 30s, WallTime{}, true).empty()) << "each is told of once";

  (void)lines(sums, refused("192.0.2.7:1"), kStart + 60s, kRefusalBurst + 2);
  EXPECT_EQ(sums.due(kStart + 60s, WallTime{}, true).size(), 1u);
}

TEST(RefusalSums, whoever_has_a_name_is_counted_by_it_and_others_by_address) {
  RefusalSums sums;
  (void)lines(sums, refused("192.0.2.7:1"), kStart, 100);
  EXPECT_EQ(lines(sums, refused("192.0.2.7:2"), kStart, 1), 0) << "another port is the same address";
  EXPECT_EQ(lines(sums, refused("192.0.2.8:1"), kStart, 1), 1);
  EXPECT_EQ(lines(sums, refused("192.0.2.7:1", "dash"), kStart, 100), kRefusalBurst);
  EXPECT_EQ(lines(sums, refused("192.0.2.9:1", "dash"), kStart, 1), 0);
}

TEST(RefusalSums, the_addresses_of_one_ipv6_host_are_counted_together) {
  RefusalSums sums;
  (void)lines(sums, refused("[2001:db8::1]:1"), kStart, 100);
  EXPECT_EQ(lines(sums, refused("[2001:db8::ffff:1]:1"), kStart, 1), 0);
  EXPECT_EQ(lines(sums, refused("[2001:db8:0:1::1]:1"), kStart, 1), 1);
}

TEST(RefusalSums, many_addresses_take_bounded_memory_and_are_forgotten_when_they_are_silent) {
  RefusalSums sums;
  for (int i = 0; i < 5000; ++i) (void)sums.take(refused(std::to_string(i) + ":1"), kStart, WallTime{});
  EXPECT_LE(sums.counted(), kMaxRefused + 1);
  EXPECT_EQ(sums.due(kStart + 60s, WallTime{}, false).size(), 1u) << "of everybody else";
  EXPECT_EQ(sums.counted(), 0u);
}

}  // namespace
}  // namespace millrace::access
