#include "mrload/exchange.hpp"

#include <gtest/gtest.h>

namespace millrace::mrload {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kRun = 0xab00'0000;
constexpr TimePoint kStart{100s};

TEST(Exchange, matches_replies_by_cookie_in_any_order) {
  Exchange exchange{kRun};
  EXPECT_EQ(exchange.start(10, "V", kStart), "ab000000_0 V");
  EXPECT_EQ(exchange.start(11, "VF 1", kStart), "ab000000_1 VF 1");
  const auto second = exchange.on_datagram("ab000000_1 1\n", kStart + 3ms);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->tag, 11u);
  EXPECT_EQ(second->text, "1\n");
  EXPECT_EQ(second->took, 3ms);
  EXPECT_EQ(exchange.under_way(), 1u);
  EXPECT_TRUE(exchange.on_datagram("ab000000_0 20040107\n", kStart));
}

TEST(Exchange, ignores_what_answers_nothing) {
  Exchange exchange{kRun};
  (void)exchange.start(1, "V", kStart);
  for (const std::string_view foreign :
       {"", " ", "ab000000_0", "ab000000_7 1", "ac000000_0 1", "E5\n", "_0 1", "ab000000_x 1", "ab000000_0x 1"}) {
    EXPECT_FALSE(exchange.on_datagram(foreign, kStart)) << foreign;
  }
  EXPECT_TRUE(exchange.on_datagram("ab000000_0 1", kStart));
  EXPECT_FALSE(exchange.on_datagram("ab000000_0 1", kStart)) << "the answer to a repeat";
}

TEST(Exchange, repeats_under_the_same_cookie_and_gives_up_after_five_tries) {
  Exchange exchange{kRun};
  const auto datagram = exchange.start(9, "V", kStart);
  EXPECT_TRUE(exchange.due(kStart + 999ms).empty());
  for (int second = 1; second <= 4; ++second) {
    EXPECT_EQ(exchange.due(kStart + second * 1s), std::vector{datagram}) << second;
    EXPECT_FALSE(exchange.given_up(kStart + second * 1s));
  }
  EXPECT_TRUE(exchange.due(kStart + 5s).empty());
  EXPECT_EQ(exchange.given_up(kStart + 5s), 9u);
  EXPECT_EQ(exchange.repeats(), 4u);
}

}  // namespace
}  // namespace millrace::mrload
