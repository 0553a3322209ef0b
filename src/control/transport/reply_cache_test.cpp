#include "control/transport/reply_cache.hpp"

#include <gtest/gtest.h>

namespace millrace::control::transport {
namespace {

using std::chrono::seconds;
constexpr TimePoint kStart{seconds{1000}};

TEST(ReplyCache, gives_back_what_was_stored_until_its_lifetime_ends) {
  ReplyCache cache;
  cache.store("c1", "25610 127.0.0.1\n", kStart);
  EXPECT_EQ(cache.find("c1", kStart + seconds{34}), "25610 127.0.0.1\n");
  EXPECT_EQ(cache.find("c1", kStart + seconds{35}), std::nullopt);
  EXPECT_EQ(cache.find("c2", kStart), std::nullopt);
}

TEST(ReplyCache, forgets_the_expired_when_something_new_comes) {
  ReplyCache cache;
  for (int i = 0; i < 100; ++i) cache.store("old" + std::to_string(i), "0\n", kStart);
  cache.store("new", "0\n", kStart + seconds{40});
  EXPECT_EQ(cache.size(), 1u);
}

TEST(ReplyCache, holds_no_more_than_its_limit_and_lets_the_oldest_go) {
  ReplyCache cache{{.lifetime = seconds{35}, .max_entries = 3, .max_bytes = 1000}};
  for (const auto* cookie : {"a", "b", "c", "d"}) cache.store(cookie, cookie, kStart);
  EXPECT_EQ(cache.size(), 3u);
  EXPECT_EQ(cache.find("a", kStart), std::nullopt);
  EXPECT_EQ(cache.find("b", kStart), "b");
  EXPECT_EQ(cache.find("d", kStart), "d");
}

TEST(ReplyCache, long_cookies_cost_room_for_others_and_no_more_memory) {
  ReplyCache cache{{.lifetime = seconds{35}, .max_entries = 100, .max_bytes = 10}};
  cache.store("a", "1234", kStart);
  cache.store("b", "1234", kStart);
  EXPECT_EQ(cache.bytes(), 10u) << "exactly as much as may be";
  EXPECT_EQ(cache.find("a", kStart), "1234");
  cache.store("c", "", kStart);
  EXPECT_EQ(cache.bytes(), 6u);
  EXPECT_EQ(cache.find("a", kStart), std::nullopt);
  EXPECT_EQ(cache.find("b", kStart), "1234");
  cache.store("a cookie that is longer than all of it", "1", kStart);
  EXPECT_EQ(cache.size(), 1u) << "the latest is always kept: one datagram is no flood";
}

TEST(ReplyCache, a_cookie_stored_again_outlives_its_first_entry) {
  ReplyCache cache{{.lifetime = seconds{35}, .max_entries = 2, .max_bytes = 1000}};
  cache.store("a", "first", kStart);
  cache.store("a", "second", kStart);
  cache.store("b", "other", kStart);  // pushes out the first "a"
  EXPECT_EQ(cache.find("a", kStart), "second");
}

TEST(ReplyCache, an_empty_reply_is_a_reply) {
  ReplyCache cache;
  cache.store("a", "", kStart);
  EXPECT_EQ(cache.find("a", kStart), "");
}

}  // namespace
}  // namespace millrace::control::transport
