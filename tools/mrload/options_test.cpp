#include "mrload/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace millrace::mrload {
namespace {

std::expected<Options, UsageExit> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "mrload");
  return parse_options(static_cast<int>(words.size()), words.data());
}

TEST(Options, has_the_defaults_of_a_phone_call) {
  const auto options = parse({"media"});
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_EQ(options->mode, Mode::media);
  EXPECT_EQ(options->relay.to_string(), "127.0.0.1:7722");
  EXPECT_EQ(options->protocol, Protocol::rtpproxy);
  EXPECT_EQ(options->traffic.per_side, 50);
  EXPECT_EQ(options->traffic.payload, 160u);
}

TEST(Options, takes_what_each_mode_needs) {
  const auto ng =
      parse({"media", "--protocol", "ng", "--relay", "[::1]:2223", "--calls", "4000", "--pps", "12.5", "--pid", "7"});
  ASSERT_TRUE(ng) << ng.error().text;
  EXPECT_EQ(ng->protocol, Protocol::ng);
  EXPECT_EQ(ng->relay.to_string(), "[::1]:2223");
  EXPECT_DOUBLE_EQ(ng->traffic.packets_per_second(), 100'000);
  EXPECT_EQ(ng->relay_pid, 7);
  const auto setup = parse({"setup", "--window", "1", "--alive", "100"});
  ASSERT_TRUE(setup) << setup.error().text;
  EXPECT_EQ(setup->window, 1u);
  EXPECT_EQ(setup->alive, 100u);
  EXPECT_EQ(parse({"--bare-relay", "--cpu", "0"})->mode, Mode::bare_relay);
  EXPECT_EQ(parse({"--demo"})->mode, Mode::demo);
}

TEST(Options, explains_mistakes_and_exits_with_2) {
  struct Case {
    std::vector<const char*> words;
    std::string_view text;
  };
  const std::vector<Case> cases{
      {{}, "one of media"},
      {{"--demo", "--bare-relay"}, "one of media"},
      {{"media", "--relay", "localhost"}, "--relay localhost"},
      {{"media", "--relay", "127.0.0.1:0"}, "127.0.0.1:0"},
      {{"media", "--local", "eth0"}, "--local eth0"},
      {{"media", "--calls", "0"}, "--calls"},
      {{"media", "--payload", "10"}, "--payload"},
      {{"media", "--protocol", "mgcp"}, "mgcp"},
      {{"media", "--direct", "--own-relay"}, "--direct"},
      {{"media", "--own-relay", "--protocol", "ng"}, "rtpproxy protocol alone"},
      {{"memory"}, "--pid"},
      {{"setup", "--frobnicate"}, "--frobnicate"},
  };
  for (const Case& c : cases) {
    const auto options = parse(c.words);
    ASSERT_FALSE(options) << c.text;
    EXPECT_EQ(options.error().code, 2) << c.text;
    EXPECT_THAT(options.error().text, testing::HasSubstr(c.text));
  }
}

TEST(Options, shows_help_and_version_without_an_error) {
  EXPECT_EQ(parse({"--help"}).error().code, 0);
  EXPECT_THAT(parse({"media", "--help"}).error().text, testing::HasSubstr("--warm-up"));
  EXPECT_THAT(parse({"--version"}).error().text, testing::StartsWith("mrload "));
}

}  // namespace
}  // namespace millrace::mrload
