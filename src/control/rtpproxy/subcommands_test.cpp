#include "control/rtpproxy/subcommands.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/testing.hpp"
#include "control/rtpproxy/decode.hpp"

namespace millrace::control::rtpproxy {
namespace {

std::expected<Request, ErrorCode> decode_line(std::string_view line) {
  static const NotifyTargets kNoTargets;
  static const Origin kOrigin;
  return decode(line, {.targets = kNoTargets, .origin = kOrigin, .bridging = false});
}

std::vector<session::Command> parts_of(std::string_view line) {
  const auto request = decode_line(line);
  EXPECT_TRUE(request.has_value()) << line;
  return request ? request->parts : std::vector<session::Command>{};
}

TEST(RtpproxySubcommands, one_bad_part_spoils_the_command) {
  constexpr std::array kLines{
      "U c - 0 f t && K",
      "U c - 0 f t && S ttl=7 && K",
      "U c - 0 f t && M3:1 Dd1",
      "U c - 0 f t && M",
      "U c - 0 f t && S",
      "U c - 0 f t && S ttl=0",
      "U c - 0 f t && S ttl=",
      "U c - 0 f t && S ttl=-1",
      "U c - 0 f t && S ttl=7x",
      "U c - 0 f t && S ttl=99999999999",
      "U c - 0 f t && S TTL=7",
      "U c - 0 f t && S tos=256",
      "U c - 0 f t && S tos=",
      "U c - 0 f t && S mos=4",
      "U c - 0 f t && S ttl=7 8",
      "U c - 0 f t && Sx ttl=7",
      "U c - 0 f t && Srr ttl=7",
      "U c - 0 f t && S x",
      "U c - 0 f t && D c",
      "U c - 0 f t && Dx",
      "U c - 0 f t && Dww",
      "U c - 0 f t && L - 0 f",
      "U c - 0 f t && L -",
      "U c - 0 f t && Lq - 0",
      "U c - 0 f t && L 1.2.3.4.5 0",
      "U c - 0 f && L - 0",
      "L c - 0 f t && L - 0",
      "Q c f t && L - 0",
      "U c - 0 f t && C c f",
      "U c - 0 f t && C c f t x",
      "U c - 0 f t && Cs c f t",
      "U c - 0 f && C c f t",
      "L c - 0 f t && C c f t",
      "Q c f t && C c f t",
  };
  for (const std::string_view line : kLines) {
    EXPECT_EQ(testing::error_of(decode_line(line)), ErrorCode::bad_subcommand) << line;
  }
}

TEST(RtpproxySubcommands, settings_of_a_session_reach_the_party_whose_address_the_command_gives_or_the_other_one) {
  struct Case {
    std::string_view main;
    bool party_of_to;  // `L` names its party second
  };
  constexpr std::array kCases{
      Case{"U c - 0 f t", false}, Case{"U c - 0 f", false}, Case{"L c - 0 f t", true},
      Case{"L c - 0 f", true},    Case{"Q c f t", false},
  };
  for (const Case& c : kCases) {
    const auto parts = parts_of(std::string{c.main} + " && S ttl=7 && sR ttl=8 && S tos=255");
    ASSERT_EQ(parts.size(), 3u) << c.main;
    const auto& own = std::get<session::Adjust>(parts[0]);
    EXPECT_EQ(own.parties.from, "f");
    EXPECT_EQ(own.ttl, std::chrono::seconds{7});
    EXPECT_EQ(own.other_side, c.party_of_to) << c.main;
    EXPECT_FALSE(own.tos.has_value());
    EXPECT_EQ(std::get<session::Adjust>(parts[1]).other_side, !c.party_of_to) << c.main;
    EXPECT_EQ(std::get<session::Adjust>(parts[2]).tos, 255);
  }
}

TEST(RtpproxySubcommands, lookup_in_an_update_makes_the_other_leg_and_turns_the_parts_behind_it) {
  const auto parts = parts_of("U c - 0 f t && S ttl=7 && L6c0 2001:db8::8 6000 && S ttl=9 && Sr tos=1 && D");
  ASSERT_EQ(parts.size(), 5u);
  const auto& answer = std::get<session::Answer>(parts[1]);
  EXPECT_EQ(answer.parties.from, "f");
  EXPECT_EQ(answer.parties.to, "t");
  EXPECT_EQ(answer.party.remote, net::Endpoint::parse("[2001:db8::8]:6000"));
  EXPECT_EQ(answer.party.codecs.size(), 1u);
  EXPECT_FALSE(std::get<session::Adjust>(parts[0]).other_side);
  EXPECT_TRUE(std::get<session::Adjust>(parts[2]).other_side);
  EXPECT_FALSE(std::get<session::Adjust>(parts[3]).other_side);
  EXPECT_EQ(std::get<session::Delete>(parts[4]).parties.from, "f");
}

TEST(RtpproxySubcommands, delete_names_this_media_stream_alone) {
  struct Case {
    std::string_view line, from, to;
    bool weak;
  };
  constexpr std::array kCases{
      Case{"Q c f;1 t;1 && D", "f;1", "t;1", false},
      Case{"Q c t;1 f && Dw", "t;1", "f;1", true},  // a bare tag would free the other streams too
      Case{"Q c f && D", "f", "", false},
      Case{"L c - 0 f t && d", "f", "t", false},
  };
  for (const Case& c : kCases) {
    const auto parts = parts_of(c.line);
    ASSERT_EQ(parts.size(), 1u) << c.line;
    const auto& remove = std::get<session::Delete>(parts[0]);
    EXPECT_EQ(remove.parties.from, c.from) << c.line;
    EXPECT_EQ(remove.parties.to, c.to) << c.line;
    EXPECT_EQ(remove.weak, c.weak) << c.line;
  }
}

TEST(RtpproxySubcommands, fork_joins_another_session_to_this_one) {
  const auto parts = parts_of("U c - 0 f t && C other a;1 b;1");
  ASSERT_EQ(parts.size(), 1u);
  const auto& fork = std::get<session::Fork>(parts[0]);
  EXPECT_EQ(fork.into.call_id, "c");
  EXPECT_EQ(fork.into.to, "t");
  EXPECT_EQ(fork.source.call_id, "other");
  EXPECT_EQ(fork.source.from, "a;1");
  EXPECT_EQ(fork.source.to, "b;1");
}

}  // namespace
}  // namespace millrace::control::rtpproxy
