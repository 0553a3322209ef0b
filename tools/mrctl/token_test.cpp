#include "mrctl/token.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "base/testing.hpp"

namespace millrace::mrctl {
namespace {

TEST(Token, base64url_is_that_of_rfc_4648_without_padding) {
  struct Case {
    std::string_view hex, text;
  };
  constexpr std::array kCases{Case{"", ""},           Case{"66", "Zg"},           Case{"666f", "Zm8"},
                              Case{"666f6f", "Zm9v"}, Case{"666f6f62", "Zm9vYg"}, Case{"fbff", "-_8"}};
  for (const Case& c : kCases) EXPECT_EQ(base64url(testing::from_hex(c.hex)), c.text);
}

TEST(Token, sha256_is_that_of_the_standard) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Token, every_one_is_new_and_needs_no_quoting) {
  const auto first = draw_token(), second = draw_token();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->size(), 43u);
  EXPECT_NE(*first, *second);
  EXPECT_TRUE(std::ranges::all_of(*first, [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; }));
}

TEST(Token, lines_hold_the_hash_and_not_the_token) {
  EXPECT_EQ(identity_lines("ops", "operator", "abc"),
            "[[identity]]\n"
            "name = \"ops\"\n"
            "role = \"operator\"\n"
            "token_sha256 = \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"\n");
  EXPECT_NE(identity_lines("o\"p\\s", "viewer", "abc")->find(R"(name = "o\"p\\s")"), std::string::npos);
}

TEST(Token, what_the_daemon_would_refuse_is_refused_here) {
  EXPECT_NE(identity_lines("", "viewer", "abc").error().find("identity.name"), std::string::npos);
  EXPECT_NE(identity_lines("a\nb", "viewer", "abc").error().find("identity.name"), std::string::npos);
  EXPECT_NE(identity_lines("ops", "root", "abc").error().find("identity.role"), std::string::npos);
}

}  // namespace
}  // namespace millrace::mrctl
