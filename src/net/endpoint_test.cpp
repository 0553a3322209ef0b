#include "net/endpoint.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <unordered_set>

namespace millrace::net {
namespace {

TEST(Address, is_read_from_text_and_printed_in_one_form) {
  struct Case {
    const char* text;
    const char* printed;  // null: no address
  };
  const Case cases[] = {
      {"192.0.2.1", "192.0.2.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"2001:db8::1", "2001:db8::1"},
      {"2001:DB8:0:0::1", "2001:db8::1"},
      {"::", "::"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"::ffff:c000:201", "192.0.2.1"},
      {"", nullptr},
      {"192.0.2", nullptr},
      {"192.0.2.256", nullptr},
      {"192.0.2.01", nullptr},
      {" 192.0.2.1", nullptr},
      {"192.0.2.1 ", nullptr},
      {"[::1]", nullptr},
      {"fe80::1%eth0", nullptr},
      {"localhost", nullptr},
      {"2001:db8::1::2", nullptr},
      {"1234567890123456789012345678901234567890123456789", nullptr},
  };
  for (const Case& c : cases) {
    const auto address = Address::parse(c.text);
    ASSERT_EQ(address.has_value(), c.printed != nullptr) << c.text;
    if (address) {
      EXPECT_EQ(address->to_string(), c.printed) << c.text;
    }
  }
  EXPECT_EQ(Address{}.to_string(), "-");
  EXPECT_EQ(Address::ipv4(0xc0000201), *Address::parse("192.0.2.1"));
  EXPECT_FALSE(Address::parse(std::string_view{"192.0.2.1\0x", 11})) << "a NUL does not end the text";
}

TEST(Address, knows_the_ranges_that_are_special) {
  struct Case {
    const char* text;
    bool any, loopback, is_private, link_local;
  };
  const Case cases[] = {
      {"0.0.0.0", true, false, false, false},
      {"::", true, false, false, false},
      {"127.0.0.1", false, true, false, false},
      {"127.255.255.254", false, true, false, false},
      {"128.0.0.1", false, false, false, false},
      {"::1", false, true, false, false},
      {"::2", false, false, false, false},
      {"1::1", false, false, false, false},
      {"9.255.255.255", false, false, false, false},
      {"10.0.0.0", false, false, true, false},
      {"10.255.255.255", false, false, true, false},
      {"11.0.0.0", false, false, false, false},
      {"172.15.0.1", false, false, false, false},
      {"172.16.0.1", false, false, true, false},
      {"172.31.255.255", false, false, true, false},
      {"172.32.0.0", false, false, false, false},
      {"192.168.0.1", false, false, true, false},
      {"192.169.0.1", false, false, false, false},
      {"100.63.255.255", false, false, false, false},
      {"100.64.0.0", false, false, true, false},
      {"100.127.255.255", false, false, true, false},
      {"100.128.0.0", false, false, false, false},
      {"169.254.1.1", false, false, false, true},
      {"169.255.1.1", false, false, false, false},
      {"fc00::1", false, false, true, false},
      {"fdff::1", false, false, true, false},
      {"fe00::1", false, false, false, false},
      {"fe80::1", false, false, false, true},
      {"febf::1", false, false, false, true},
      {"fec0::1", false, false, false, false},
      {"2001:db8::1", false, false, false, false},
  };
  for (const Case& c : cases) {
    const auto address = *Address::parse(c.text);
    EXPECT_EQ(address.is_any(), c.any) << c.text;
    EXPECT_EQ(address.is_loopback(), c.loopback) << c.text;
    EXPECT_EQ(address.is_private(), c.is_private) << c.text;
    EXPECT_EQ(address.is_link_local(), c.link_local) << c.text;
  }
  EXPECT_FALSE(Address{}.is_any());
}

TEST(Endpoint, is_read_from_text_and_printed_in_one_form) {
  struct Case {
    const char* text;
    const char* printed;  // null: no endpoint
  };
  const Case cases[] = {
      {"192.0.2.1:5004", "192.0.2.1:5004"},
      {"192.0.2.1:0", "192.0.2.1:0"},
      {"192.0.2.1:65535", "192.0.2.1:65535"},
      {"[2001:db8::1]:5004", "[2001:db8::1]:5004"},
      {"192.0.2.1:65536", nullptr},
      {"192.0.2.1:-1", nullptr},
      {"192.0.2.1:", nullptr},
      {"192.0.2.1", nullptr},
      {"192.0.2.1:5004x", nullptr},
      {":5004", nullptr},
      {"[192.0.2.1]:5004", nullptr},
      {"2001:db8::1:5004", nullptr},
      {"[2001:db8::1]", nullptr},
      {"[2001:db8::1:5004", nullptr},
      {"[]:5004", nullptr},
      {"", nullptr},
  };
  for (const Case& c : cases) {
    const auto endpoint = Endpoint::parse(c.text);
    ASSERT_EQ(endpoint.has_value(), c.printed != nullptr) << c.text;
    if (endpoint) {
      EXPECT_EQ(endpoint->to_string(), c.printed) << c.text;
    }
  }
}

TEST(Endpoint, goes_through_the_kernels_form_unchanged) {
  for (const char* text : {"192.0.2.1:5004", "[2001:db8::1]:65535", "0.0.0.0:0", "[::]:1"}) {
    const auto endpoint = *Endpoint::parse(text);
    sockaddr_storage raw{};
    const auto length = endpoint.to_sockaddr(raw);
    EXPECT_EQ(Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&raw), length), endpoint) << text;
    EXPECT_FALSE(Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&raw), 8)) << "too short";
  }
  sockaddr_storage local{};
  local.ss_family = AF_UNIX;
  EXPECT_FALSE(Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&local), sizeof local));
}

TEST(Endpoint, a_mapped_address_from_the_kernel_is_the_ipv4_peer) {
  sockaddr_in6 raw{};
  raw.sin6_family = AF_INET6;
  raw.sin6_port = htons(5004);
  raw.sin6_addr.s6_addr[10] = raw.sin6_addr.s6_addr[11] = 0xff;
  raw.sin6_addr.s6_addr[12] = 192;
  raw.sin6_addr.s6_addr[14] = 2;
  raw.sin6_addr.s6_addr[15] = 1;
  EXPECT_EQ(Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&raw), sizeof raw),
            Endpoint::parse("192.0.2.1:5004"));
}

TEST(Endpoint, differs_by_family_address_and_port) {
  std::unordered_set<Endpoint, EndpointHash> set;
  for (const char* text : {"0.0.0.0:1", "[::]:1", "0.0.0.0:2", "0.0.0.1:1", "0.0.0.0:256", "0.0.0.0:1"}) {
    set.insert(*Endpoint::parse(text));
  }
  EXPECT_EQ(set.size(), 5u);
  EXPECT_FALSE(Endpoint{}.is_set());
  EXPECT_EQ(Endpoint::parse("10.0.0.1:5004")->next_port().to_string(), "10.0.0.1:5005");
}

}  // namespace
}  // namespace millrace::net
