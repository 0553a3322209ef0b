#include "control/rtpproxy/words.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/testing.hpp"

namespace millrace::control::rtpproxy {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (; times > 0; --times) result += text;
  return result;
}

TEST(Words, cookie_is_the_first_word_and_a_lone_word_has_no_command) {
  struct Case {
    std::string_view datagram, cookie, body;
  };
  constexpr std::array kCases{
      Case{"abc V", "abc", " V"},
      Case{"1_2_3  V\n", "1_2_3", "  V\n"},
      Case{" \t\r\n8_9 D c f", "8_9", " D c f"},
      Case{"V", "V", ""},
      Case{"V\n", "V", "\n"},
      Case{"", "", ""},
      Case{" \t\r\n", "", ""},
  };
  for (const Case& c : kCases) {
    const Split split = split_cookie(c.datagram);
    EXPECT_EQ(split.cookie, c.cookie) << c.datagram;
    EXPECT_EQ(split.body, c.body) << c.datagram;
  }
}

TEST(Words, are_cut_at_runs_of_space_tab_cr_and_lf) {
  const auto line = split_words("\t U  c1\t127.0.0.1\r5000\nf \r\n");
  ASSERT_TRUE(line.has_value());
  ASSERT_EQ(line->main.size(), 5u);
  EXPECT_EQ(line->main[0], "U");
  EXPECT_EQ(line->main[4], "f");
  EXPECT_TRUE(line->parts.empty());
}

TEST(Words, part_begins_behind_a_word_of_two_ampersands_only) {
  const auto line = split_words("U c a && S ttl=7 && D");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->main.size(), 3u);
  ASSERT_EQ(line->parts.size(), 2u);
  EXPECT_EQ(line->parts[0][1], "ttl=7");
  EXPECT_EQ(line->parts[1][0], "D");
  EXPECT_TRUE(split_words("U c&&d a&& &&&")->parts.empty());
}

TEST(Words, limits_hold_at_the_limit_and_fail_one_beyond) {
  struct Case {
    std::string_view name;
    std::string text;
    std::optional<ErrorCode> error;
  };
  const std::string part23 = repeated(" w", 23);
  const std::array cases{
      Case{"23 words", repeated("w ", 23), std::nullopt},
      Case{"24 words", repeated("w ", 24), ErrorCode::malformed},
      Case{"23 words in a part", "U &&" + part23, std::nullopt},
      Case{"24 words in a part", "U &&" + part23 + " w", ErrorCode::malformed},
      Case{"15 parts", "U" + repeated(" && D", 15), std::nullopt},
      Case{"16 parts", "U" + repeated(" && D", 16), ErrorCode::malformed},
      Case{"no words", "", ErrorCode::malformed},
      Case{"separators alone", " \r\n\t", ErrorCode::malformed},
      Case{"empty part at the end", "U &&", ErrorCode::malformed},
      Case{"empty part in between", "U && && D", ErrorCode::malformed},
      Case{"part without a main command", "&& D", ErrorCode::malformed},
      Case{"NUL in a word", std::string{"V\0x", 3}, ErrorCode::malformed},
      Case{"NUL at the end", std::string{"V\0", 2}, ErrorCode::malformed},
  };
  for (const Case& c : cases) EXPECT_EQ(testing::error_of(split_words(c.text)), c.error) << c.name;
}

}  // namespace
}  // namespace millrace::control::rtpproxy
