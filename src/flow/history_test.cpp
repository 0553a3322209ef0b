#include "flow/history.hpp"

#include <gtest/gtest.h>

namespace millrace::flow {
namespace {

using std::chrono::milliseconds;
const WallTime kStart = WallTime{std::chrono::seconds{1'700'000'000}} + milliseconds{120};

HistoryEntry entry(int number, WallTime at = kStart) {
  return {.at = at,
          .endpoint = {*net::Address::parse("192.0.2.1"), Port{static_cast<std::uint16_t>(number)}},
          .cause = Cause::first_packet};
}

TEST(EndpointHistory, gives_back_what_it_was_told_to_the_millisecond) {
  EndpointHistory history;
  EXPECT_TRUE(history.empty());
  history.push_back(
      {.at = kStart + std::chrono::microseconds{999}, .endpoint = entry(7).endpoint, .cause = Cause::follows_rtp});
  history.push_back(entry(8, kStart + std::chrono::hours{48}));
  EXPECT_EQ(history[0].at, kStart);
  EXPECT_EQ(history[0].cause, Cause::follows_rtp);
  EXPECT_EQ(history.back().at, kStart + std::chrono::hours{48});
  EXPECT_EQ(history.back().endpoint, entry(8).endpoint);
}

TEST(EndpointHistory, the_ninth_pushes_the_oldest_out) {
  EndpointHistory history;
  for (int i = 0; i < 9; ++i) history.push_back(entry(i));
  EXPECT_EQ(history.size(), kHistoryEntries);
  EXPECT_EQ(history[0].endpoint.port, Port{1});
  EXPECT_EQ(history.back().endpoint.port, Port{8});
}

TEST(EndpointHistory, erasing_keeps_the_order_of_the_rest) {
  EndpointHistory history;
  for (int i = 0; i < 3; ++i) history.push_back(entry(i));
  history.erase_at(1);
  ASSERT_EQ(history.entries().size(), 2u);
  EXPECT_EQ(history.entries()[0].endpoint.port, Port{0});
  EXPECT_EQ(history.entries()[1].endpoint.port, Port{2});
}

TEST(EndpointHistory, a_clock_set_back_or_months_of_uptime_stop_at_the_ends) {
  EndpointHistory history;
  history.push_back(entry(1));
  history.push_back(entry(2, kStart - std::chrono::hours{1}));
  EXPECT_EQ(history.back().at, kStart);
  history.push_back(entry(3, kStart + std::chrono::hours{24 * 365}));
  EXPECT_GT(history.back().at, kStart + std::chrono::hours{24 * 49});
}

}  // namespace
}  // namespace millrace::flow
