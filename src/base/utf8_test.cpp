#include "base/utf8.hpp"

#include <gtest/gtest.h>

#include <array>

namespace millrace {
namespace {

TEST(Utf8, text_that_is_fine_stays_as_it_is) {
  for (const std::string_view text : {"", "plain", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\x9e", "\x7f",
                                      "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
    EXPECT_EQ(to_utf8(text), text);
  }
  EXPECT_TRUE(is_utf8(std::string_view{"\0", 1}));
}

TEST(Utf8, bytes_of_no_character_are_replaced_one_by_one) {
  struct Case {
    std::string_view text, becomes;
  };
  constexpr std::array kCases{
      Case{"\xff", "\xef\xbf\xbd"},
      Case{"a\xc3", "a\xef\xbf\xbd"},
      Case{"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
      Case{"\xe0\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      Case{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      Case{"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      Case{"\xf8z", "\xef\xbf\xbdz"},
  };
  for (const Case& c : kCases) {
    EXPECT_FALSE(is_utf8(c.text)) << c.text;
    EXPECT_EQ(to_utf8(c.text), c.becomes);
  }
}

}  // namespace
}  // namespace millrace
