#include "session/matching.hpp"

#include <gtest/gtest.h>

#include <array>

namespace millrace::session {
namespace {

constexpr auto kForward = Direction::forward;
constexpr auto kReversed = Direction::reversed;

struct Case {
  std::string_view offerer, from, to;
  std::optional<Direction> expected;
};

constexpr std::array kCases{
    Case{"f;1", "f;1", "", kForward},
    Case{"f;1", "f;1", "t;1", kForward},
    Case{"f;1", "f;1", "another;7", kForward},
    Case{"f;1", "f;1", "f;1", kForward},
    Case{"f;1", "t;1", "f;1", kReversed},
    Case{"f;1", "t;9", "f;1", kReversed},
    Case{"f;1", "t", "f;1", kReversed},
    Case{"f;1", "t;1", "f", kReversed},
    Case{"f;1", "t;2", "f", std::nullopt},
    Case{"f;1", "t", "f", std::nullopt},
    Case{"f;1", "f", "t", std::nullopt},
    Case{"f;1", "f", "", std::nullopt},
    Case{"f;1", "f;3", "t;3", std::nullopt},
    Case{"f;1", "t;1", "", std::nullopt},
    Case{"f", "f", "t", kForward},
    Case{"f", "t", "f", kReversed},
    Case{"f", "t;1", "f;1", std::nullopt},
    Case{"f", "t;1", "f", kReversed},
    Case{"ff;1", "t;1", "f", std::nullopt},
    Case{"f;1", "t;1", "ff", std::nullopt},
    Case{"a;b;1", "t;1", "a;b", kReversed},
    Case{"a;b;1", "t;1", "a", kReversed},
    Case{"a;b;1", "a;b;1", "", kForward},
    Case{"f;1", "F;1", "t", std::nullopt},
    Case{"f;", "f;", "", kForward},
    Case{"f;", "t;", "f", kReversed},
    Case{";1", ";1", "", kForward},
};

TEST(Matching, finds_a_connection_by_the_offerers_tag_in_either_place) {
  for (const Case& c : kCases) {
    EXPECT_EQ(match(split_tag(c.offerer), c.from, c.to), c.expected) << c.offerer << " | " << c.from << " | " << c.to;
  }
}

struct DeleteCase {
  std::string_view offerer, from, to;
  std::optional<Direction> direction;
  bool exact = false;
};

constexpr std::array kDeleteCases{
    DeleteCase{"f;1", "f;1", "", kForward, true},    DeleteCase{"f;1", "f", "", kForward, false},
    DeleteCase{"f;1", "t", "f", kReversed, false},   DeleteCase{"f;1", "t;1", "f;1", kReversed, true},
    DeleteCase{"f", "f", "t", kForward, true},       DeleteCase{"f;1", "f;2", "", std::nullopt},
    DeleteCase{"f;1", "t;1", "", std::nullopt},      DeleteCase{"tagtag;1", "tag", "", std::nullopt},
    DeleteCase{"tag;1", "tagtag", "", std::nullopt}, DeleteCase{"tag;1", "tag;", "", std::nullopt},
    DeleteCase{"tag;12", "tag;1", "", std::nullopt}, DeleteCase{"a;b;1", "a", "", kForward, false},
    DeleteCase{"a;b;1", "a;b", "", kForward, false}, DeleteCase{"f", "f;1", "", std::nullopt},
    DeleteCase{"f;1", "x", "", std::nullopt},
};

TEST(Matching, for_delete_takes_a_bare_tag_for_all_media_of_its_party) {
  for (const DeleteCase& c : kDeleteCases) {
    const auto found = match_for_delete(split_tag(c.offerer), c.from, c.to);
    ASSERT_EQ(found.has_value(), c.direction.has_value()) << c.offerer << " | " << c.from << " | " << c.to;
    if (!found) continue;
    EXPECT_EQ(found->direction, *c.direction) << c.offerer << " | " << c.from << " | " << c.to;
    EXPECT_EQ(found->exact, c.exact) << c.offerer << " | " << c.from << " | " << c.to;
  }
}

TEST(Matching, cuts_a_tag_at_its_last_semicolon) {
  EXPECT_EQ(split_tag("a;b;12").tag, "a;b");
  EXPECT_EQ(split_tag("a;b;12").media, ";12");
  EXPECT_EQ(split_tag("plain").tag, "plain");
  EXPECT_EQ(split_tag("plain").media, "");
}

}  // namespace
}  // namespace millrace::session
