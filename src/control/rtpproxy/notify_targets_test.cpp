#include "control/rtpproxy/notify_targets.hpp"

#include <gtest/gtest.h>

#include <array>

#include "base/testing.hpp"

namespace millrace::control::rtpproxy {
namespace {

NotifyTargets allow(std::vector<std::string> texts) { return *NotifyTargets::parse(texts); }

Origin from(std::string_view peer, std::string_view local) {
  return {.peer = *net::Endpoint::parse(peer), .local = *net::Endpoint::parse(local)};
}

TEST(NotifyTargets, are_refused_when_nobody_could_be_reached_by_them) {
  for (const std::string_view text : {"", "unix:", "tcp:", "tcp:host", "tcp::9000", "tcp:host:", "tcp:host:0",
                                      "tcp:host:65536", "tcp:host:x", "tcp:%%CC_SELF%%"}) {
    EXPECT_FALSE(NotifyTargets::parse(std::vector{std::string{text}}).has_value()) << text;
  }
  EXPECT_FALSE(NotifyTargets::parse({})->enabled());
}

TEST(NotifyTargets, there_are_at_most_64_fixed_and_two_of_the_sender) {
  std::vector<std::string> texts(64, "/run/n.sock");
  texts.insert(texts.end(), {"tcp:%%CC_SELF%%:1", "tcp:%%CC_SELF%%:2"});
  EXPECT_TRUE(NotifyTargets::parse(texts).has_value());
  auto fixed = texts, wildcards = texts;
  fixed.emplace_back("/run/m.sock");
  wildcards.emplace_back("tcp:%%CC_SELF%%:3");
  EXPECT_FALSE(NotifyTargets::parse(fixed).has_value());
  EXPECT_FALSE(NotifyTargets::parse(wildcards).has_value());
}

TEST(NotifyTargets, are_asked_for_to_the_letter_but_for_the_unix_prefix) {
  const NotifyTargets targets = allow({"unix:/run/a.sock", "/run/b.sock", "tcp:10.0.0.5:9000"});
  struct Case {
    std::string_view asked, target;
  };
  constexpr std::array kCases{
      Case{"unix:/run/a.sock", "unix:/run/a.sock"},
      Case{"/run/a.sock", "unix:/run/a.sock"},
      Case{"unix:/run/b.sock", "unix:/run/b.sock"},
      Case{"tcp:10.0.0.5:9000", "tcp:10.0.0.5:9000"},
      Case{"10.0.0.5:9000", ""},
      Case{"tcp:10.0.0.5:09000", ""},
      Case{"/run/c.sock", ""},
      Case{"", ""},
      Case{"tcp:%%CC_SELF%%:9000", ""},
  };
  for (const Case& c : kCases) EXPECT_EQ(targets.resolve(c.asked, Origin{}).value_or(""), c.target) << c.asked;
}

TEST(NotifyTargets, sender_is_told_at_the_address_that_its_command_came_from) {
  const NotifyTargets targets = allow({"tcp:%%CC_SELF%%:9001"});
  constexpr std::string_view kAsked = "tcp:%%CC_SELF%%:9001";
  EXPECT_EQ(targets.resolve(kAsked, from("192.0.2.9:5000", "192.0.2.1:7722")), "tcp:192.0.2.9:9001 from 192.0.2.1");
  EXPECT_EQ(targets.resolve(kAsked, from("192.0.2.9:5000", "0.0.0.0:7722")), "tcp:192.0.2.9:9001");
  EXPECT_EQ(targets.resolve(kAsked, from("[2001:db8::9]:5000", "[2001:db8::1]:7722")), "tcp:127.0.0.1:9001");
  EXPECT_EQ(targets.resolve(kAsked, Origin{}), "tcp:127.0.0.1:9001");
  EXPECT_EQ(targets.resolve("tcp:192.0.2.9:9001", from("192.0.2.9:5000", "192.0.2.1:7722")), std::nullopt);
}

TEST(NotifyTargets, joined_word_may_hold_more_semicolons_in_the_path_and_in_the_tag) {
  const NotifyTargets targets = allow({"/run/odd;name", "/run/n.sock"});
  EXPECT_EQ(targets.resolve_joined("/run/odd;name;tag", Origin{})->tag, "tag");
  EXPECT_EQ(targets.resolve_joined("unix:/run/n.sock;a;b", Origin{})->tag, "a;b");
  EXPECT_EQ(targets.resolve_joined("/run/n.sock;", Origin{})->tag, "");
  EXPECT_FALSE(targets.resolve_joined("abc;1", Origin{}).has_value());
}

TEST(UrlDecode, takes_hexadecimal_pairs_and_plus_and_refuses_the_rest) {
  struct Case {
    std::string_view text;
    std::optional<std::string> decoded;
  };
  const std::array cases{
      Case{"", ""},
      Case{"plain", "plain"},
      Case{"the%20tag+x%3b1", "the tag x;1"},
      Case{"%41%4A%4a", "AJJ"},
      Case{"%", std::nullopt},
      Case{"%4", std::nullopt},
      Case{"a%4g", std::nullopt},
      Case{"%-1", std::nullopt},
      Case{"100%25", "100%"},
  };
  for (const Case& c : cases) EXPECT_EQ(url_decode(c.text), c.decoded) << c.text;
}

}  // namespace
}  // namespace millrace::control::rtpproxy
