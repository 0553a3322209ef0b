#include "access/networks.hpp"

#include <gtest/gtest.h>

#include <array>

namespace millrace::access {
namespace {

bool contains(std::string_view network, std::string_view address) {
  const auto parsed = Network::parse(network);
  EXPECT_TRUE(parsed.has_value()) << network << ": " << (parsed ? "" : parsed.error());
  return parsed && parsed->contains(*net::Address::parse(address));
}

TEST(Networks, hold_the_addresses_that_share_their_first_bits) {
  struct Case {
    std::string_view network, inside, outside;
  };
  constexpr std::array kCases{
      Case{"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
      Case{"172.16.0.0/12", "172.31.0.1", "172.32.0.1"},
      Case{"192.0.2.128/25", "192.0.2.128", "192.0.2.127"},
      Case{"192.0.2.7", "192.0.2.7", "192.0.2.6"},
      Case{"192.0.2.7/32", "192.0.2.7", "192.0.2.8"},
      Case{"0.0.0.0/0", "203.0.113.9", "2001:db8::1"},
      Case{"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"},
      Case{"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::"},
      Case{"2001:db8::1", "2001:db8::1", "2001:db8::2"},
      Case{"::/0", "fe80::1", "10.0.0.1"},
      Case{"::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.0"},
      Case{"::ffff:192.0.2.7", "192.0.2.7", "192.0.2.8"},
      Case{"10.0.0.0/8", "::ffff:10.1.2.3", "::10.1.2.3"},
  };
  for (const Case& c : kCases) {
    EXPECT_TRUE(contains(c.network, c.inside)) << c.network << " " << c.inside;
    EXPECT_FALSE(contains(c.network, c.outside)) << c.network << " " << c.outside;
  }
}

TEST(Networks, hold_no_address_that_is_not_set) { EXPECT_FALSE(Network::parse("0.0.0.0/0")->contains({})); }

TEST(Networks, text_that_is_none_is_refused_in_a_sentence_that_names_the_setting) {
  struct Case {
    std::string_view text, says;
  };
  constexpr std::array kCases{
      Case{"", "is no network"},
      Case{"example.net", "is no network"},
      Case{"10.0.0.0/", "32 at most"},
      Case{"10.0.0.0/33", "32 at most"},
      Case{"10.0.0.0/-1", "32 at most"},
      Case{"10.0.0.0/8 ", "32 at most"},
      Case{"10.0.0.0/255.0.0.0", "32 at most"},
      Case{"2001:db8::/129", "128 at most"},
      Case{"::ffff:10.0.0.0/8", "128 at most"},
      Case{"[2001:db8::]/32", "is no network"},
      Case{"fe80::1%eth0", "is no network"},
      Case{"10/8", "is no network"},
      Case{"10.0.0.1/8", "write 10.0.0.0/8 or 10.0.0.1"},
      Case{"2001:db8::1/32", "write 2001:db8::/32 or 2001:db8::1"},
  };
  for (const Case& c : kCases) {
    const std::vector<std::string> texts{"192.0.2.0/24", std::string{c.text}};
    const auto networks = Networks::parse(texts, "security.peers");
    ASSERT_FALSE(networks.has_value()) << c.text;
    EXPECT_TRUE(networks.error().starts_with("security.peers: '" + std::string{c.text} + "'")) << networks.error();
    EXPECT_NE(networks.error().find(c.says), std::string::npos) << networks.error();
  }
}

}  // namespace
}  // namespace millrace::access
