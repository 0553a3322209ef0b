#include "access/destinations.hpp"

#include <gtest/gtest.h>

#include <array>

namespace millrace::access {
namespace {

// What the peer is told; empty: the session may send there.
std::string refusal(const Settings& security, std::string_view destination, std::string_view forward = "192.0.2.1") {
  const auto destinations = Destinations::parse(security);
  if (!destinations) return destinations.error();
  const auto checked = destinations->check(*net::Address::parse(destination), *net::Address::parse(forward));
  return checked ? std::string{} : checked.error();
}

TEST(Destinations, what_no_stranger_s_session_should_reach_is_refused_unless_it_is_named) {
  struct Case {
    std::string_view destination, says;  // says nothing: allowed
  };
  constexpr std::array kCases{
      Case{"203.0.113.9", ""},
      Case{"10.1.2.3", ""},
      Case{"2001:db8::9", ""},
      Case{"fd00:ec2::253", ""},
      Case{"100.100.100.201", ""},
      Case{"64:ff9b::203.0.113.9", ""},
      Case{"127.0.0.1", "loopback"},
      Case{"127.255.0.1", "loopback"},
      Case{"::1", "loopback"},
      Case{"::ffff:127.0.0.1", "127.0.0.1, loopback"},
      Case{"64:ff9b::127.0.0.1", "loopback"},
      Case{"169.254.0.1", "link-local"},
      Case{"fe80::1", "link-local"},
      Case{"febf::1", "link-local"},
      Case{"224.0.0.1", "multicast"},
      Case{"239.255.255.255", "multicast"},
      Case{"ff02::1", "multicast"},
      Case{"255.255.255.255", "broadcast"},
      Case{"0.0.0.0", "wildcard"},
      Case{"0.0.0.1", "wildcard"},
      Case{"::", "wildcard"},
      Case{"169.254.169.254", "cloud metadata"},
      Case{"::ffff:169.254.169.254", "cloud metadata"},
      Case{"64:ff9b::169.254.169.254", "cloud metadata"},
      Case{"fd00:ec2::254", "cloud metadata"},
      Case{"fd20:ce::254", "cloud metadata"},
      Case{"100.100.100.200", "cloud metadata"},
  };
  for (const Case& c : kCases) {
    const auto text = refusal({}, c.destination);
    EXPECT_EQ(text.empty(), c.says.empty()) << c.destination << ": " << text;
    EXPECT_NE(text.find(c.says), std::string::npos) << text;
    if (c.says.empty()) continue;
    EXPECT_NE(text.find("unless security.allow_destinations names it"), std::string::npos) << text;
    const auto address = net::Address::parse(c.destination)->to_string();
    EXPECT_NE(text.find(address), std::string::npos) << text;
    EXPECT_EQ(refusal({.allow_destinations = {address}}, c.destination), "");
  }
}

TEST(Destinations, loopback_is_for_sessions_that_forward_from_it) {
  EXPECT_EQ(refusal({}, "127.0.0.1", "127.0.0.2"), "");
  EXPECT_EQ(refusal({}, "::1", "::1"), "");
  for (const auto* forward : {"0.0.0.0", "::", "192.0.2.1"}) {
    EXPECT_NE(refusal({}, "127.0.0.1", forward), "") << forward;
    EXPECT_NE(refusal({}, "::1", forward), "") << forward;
  }
  EXPECT_NE(refusal({}, "169.254.169.254", "127.0.0.1"), "") << "loopback opens nothing else";
}

TEST(Destinations, a_list_of_allowed_networks_decides_alone) {
  const Settings security{.allow_destinations = {"10.0.0.0/8", "127.0.0.1"}};
  EXPECT_EQ(refusal(security, "10.1.2.3"), "");
  EXPECT_EQ(refusal(security, "127.0.0.1"), "");
  EXPECT_EQ(refusal(security, "203.0.113.9"),
            "sessions may not send to 203.0.113.9: security.allow_destinations does not name it");
  EXPECT_NE(refusal(security, "2001:db8::1"), "");
}

TEST(Destinations, what_is_denied_stays_denied) {
  const Settings security{.allow_destinations = {"10.0.0.0/8", "64:ff9b::/96"}, .deny_destinations = {"10.9.0.0/16"}};
  EXPECT_EQ(refusal(security, "10.8.0.1"), "");
  EXPECT_EQ(refusal(security, "10.9.0.1"), "sessions may not send to 10.9.0.1: security.deny_destinations names it");
  EXPECT_NE(refusal(security, "64:ff9b::10.9.0.1"), "") << "a translator sends to the address inside";
  EXPECT_NE(refusal({.deny_destinations = {"203.0.113.0/24"}}, "203.0.113.9"), "");
}

}  // namespace
}  // namespace millrace::access
