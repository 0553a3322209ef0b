// The small units of base/, a table each.
#include <gtest/gtest.h>

#include <cerrno>
#include <limits>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/check.hpp"
#include "base/error.hpp"
#include "base/parse.hpp"
#include "base/static_vector.hpp"
#include "base/string_hash.hpp"
#include "base/strong.hpp"
#include "base/testing.hpp"
#include "base/time.hpp"

namespace millrace {
namespace {

using namespace std::chrono_literals;

TEST(Strong, numbers_of_two_names_do_not_mix) {
  static_assert(!std::is_convertible_v<std::uint16_t, Port>);
  static_assert(!std::is_convertible_v<Port, std::uint16_t>);
  static_assert(!std::is_constructible_v<Port, PayloadType>);
  static_assert(sizeof(Port) == 2);
  EXPECT_EQ(Port{}, Port{0});
  EXPECT_NE(Ssrc{1}, Ssrc{2});
  const std::unordered_set<ConnectionId, StrongHash> set{ConnectionId{1}, ConnectionId{2}, ConnectionId{1}};
  EXPECT_EQ(set.size(), 2u);
}

TEST(Seq, distance_goes_the_short_way_round) {
  struct Case {
    std::uint16_t from, to;
    int steps;
  };
  for (const Case& c : {Case{0, 0, 0}, Case{0, 1, 1}, Case{1, 0, -1}, Case{65535, 0, 1}, Case{0, 65535, -1},
                        Case{0, 32767, 32767}, Case{0, 32768, -32768}, Case{32768, 0, -32768}, Case{65000, 100, 636}}) {
    EXPECT_EQ(distance(Seq{c.from}, Seq{c.to}), c.steps) << c.from << " to " << c.to;
  }
}

TEST(ParseNumber, takes_the_whole_text_or_nothing) {
  struct Case {
    const char* text;
    std::optional<std::uint16_t> number;
  };
  for (const Case& c : {Case{"0", 0}, Case{"65535", 65535}, Case{"007", 7}, Case{"65536", {}}, Case{"-1", {}},
                        Case{"+1", {}}, Case{"", {}}, Case{" 1", {}}, Case{"1 ", {}}, Case{"12x", {}}, Case{"0x10", {}},
                        Case{"1e3", {}}, Case{"99999999999999999999999", {}}}) {
    EXPECT_EQ(parse_number<std::uint16_t>(c.text), c.number) << c.text;
  }
  EXPECT_EQ(parse_number<int>("-12"), -12);
  EXPECT_EQ(parse_number<std::uint8_t>("ff", 16), 255);
  EXPECT_EQ(parse_number<std::uint8_t>("100", 16), std::nullopt);
  EXPECT_EQ(parse_number<std::int64_t>("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(parse_number<int>(std::string_view{"1\0", 2}), std::nullopt) << "a NUL is no end";
}

TEST(ClockText, shows_the_time_of_day_to_the_millisecond) {
  struct Case {
    Nanoseconds since_1970;
    const char* text;
  };
  for (const Case& c : {Case{0ns, "00:00:00.000"}, Case{10h + 2min + 11s + 120ms, "10:02:11.120"},
                        Case{23h + 59min + 59s + 999'999'999ns, "23:59:59.999"}, Case{24h, "00:00:00.000"},
                        Case{1'795'255'331'120ms, "10:02:11.120"}, Case{-1ms, "23:59:59.999"}}) {
    EXPECT_EQ(clock_text(WallTime{c.since_1970}), c.text);
  }
}

TEST(Clocks, both_go_forward) {
  const auto before = read_clocks();
  const auto after = read_clocks();
  EXPECT_LE(before.mono, after.mono);
  EXPECT_GT(before.wall, WallTime{std::chrono::years{50}}) << "seconds since 1970, not since the start";
}

TEST(SysError, says_what_was_tried_and_why_it_failed) {
  errno = EADDRINUSE;
  const auto error = sys_error("bind 10.0.0.1:5060");
  EXPECT_EQ(error.code, EADDRINUSE);
  EXPECT_EQ(error.message(), "bind 10.0.0.1:5060: Address already in use");
  EXPECT_EQ((SysError{.code = 0, .operation = "no address of 'x'"}.message()), "no address of 'x'");
}

TEST(StringHash, finds_without_building_a_string) {
  const std::unordered_map<std::string, int, StringHash, StringEqual> map{{"call", 1}};
  EXPECT_EQ(map.find(std::string_view{"call-id"}.substr(0, 4))->second, 1);
  EXPECT_EQ(map.find("other"), map.end());
}

TEST(FromHex, reads_digits_of_both_cases_and_skips_spaces) {
  EXPECT_EQ(testing::from_hex("00 Ff\n1a"), (std::vector{std::byte{0}, std::byte{0xff}, std::byte{0x1a}}));
  EXPECT_TRUE(testing::from_hex("").empty());
}

TEST(CheckDeathTest, a_broken_condition_ends_the_process_and_says_where) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const int one = 1;
  MR_CHECK(one == 1);
  EXPECT_DEATH(MR_CHECK(one == 2), "base_test.cpp:[0-9]+: internal check failed: one == 2");
}

}  // namespace
}  // namespace millrace
