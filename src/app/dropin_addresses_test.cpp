#include "app/dropin_addresses.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace millrace::app {
namespace {

constexpr net::PortRange kRange{.first = 10000, .last = 10010};

// "internal=127.0.0.1 external=::1(adv)" or the error.
std::string made(DropInAddresses addresses) {
  addresses.resolve_names = false;
  const auto result = make_interfaces(addresses, kRange);
  if (!result) return "error: " + result.error();
  std::string text = result->bridging ? "bridge" : "";
  for (const auto& interface : result->interfaces) {
    const auto advertised = interface.advertised.empty() ? "" : "(" + interface.advertised + ")";
    text += fmt::format("{}{}={}{}", text.empty() ? "" : " ", interface.name, interface.addresses[0].to_string(),
                        advertised);
  }
  return text;
}

TEST(DropInAddresses, make_interfaces_as_the_reference_reads_them) {
  EXPECT_EQ(made({}), "=0.0.0.0");
  EXPECT_EQ(made({.ipv4 = {"*"}}), "=0.0.0.0");
  EXPECT_EQ(made({.ipv6 = {"::1"}}), "=::1");
  EXPECT_EQ(made({.ipv4 = {"127.0.0.1"}, .ipv6 = {"six@::1"}}), "=127.0.0.1 six=::1");
  EXPECT_EQ(made({.ipv4 = {"127.0.0.1"}, .ipv6 = {"::1"}}), "=127.0.0.1 =::1");
  EXPECT_EQ(made({.ipv4 = {"a@127.0.0.1", "b@127.0.0.2"}, .ipv6 = {"::1"}, .ipv6_first = true}),
            "=::1 a=127.0.0.1 b=127.0.0.2");
  EXPECT_EQ(made({.ipv4 = {"127.0.0.1=media.example.org"}}), "=127.0.0.1(media.example.org)");
  EXPECT_EQ(made({.ipv4 = {"127.0.0.1", "b@127.0.0.2=x"}}), "=127.0.0.1 b=127.0.0.2(x)");
  EXPECT_EQ(made({.ipv4 = {"127.0.0.1"}, .advertised = "192.0.2.1"}), "=127.0.0.1(192.0.2.1)");
}

TEST(DropInAddresses, bridging_has_an_internal_and_an_external_side_also_across_families) {
  EXPECT_EQ(made({.ipv4 = {"127.0.0.1/127.0.0.2"}}), "bridge internal=127.0.0.1 external=127.0.0.2");
  EXPECT_EQ(made({.ipv4 = {"127.0.0.1"}, .ipv6 = {"/::1"}}), "bridge internal=127.0.0.1 external=::1");
  EXPECT_EQ(made({.ipv4 = {"/127.0.0.1"}, .ipv6 = {"::1"}}), "bridge internal=::1 external=127.0.0.1");
  EXPECT_EQ(made({.ipv4 = {"127.0.0.1/127.0.0.2", "c@127.0.0.3"}}),
            "bridge internal=127.0.0.1 external=127.0.0.2 c=127.0.0.3");
  EXPECT_EQ(made({.ipv4 = {"127.0.0.1/127.0.0.2"}, .advertised = "a/b"}),
            "bridge internal=127.0.0.1(a) external=127.0.0.2(b)");
}

TEST(DropInAddresses, what_makes_no_sense_together_is_refused) {
  for (const DropInAddresses& bad : {
           DropInAddresses{.ipv4 = {"127.0.0.1", "127.0.0.2"}},
           DropInAddresses{.ipv4 = {"127.0.0.1", "a@127.0.0.2", "a@127.0.0.3"}},
           DropInAddresses{.ipv4 = {"a@127.0.0.1/127.0.0.2"}},
           DropInAddresses{.ipv4 = {"127.0.0.1=x/127.0.0.2"}},
           DropInAddresses{.ipv4 = {"127.0.0.1/127.0.0.2", "127.0.0.3"}},
           DropInAddresses{.ipv4 = {"127.0.0.1/127.0.0.2", "127.0.0.3/127.0.0.4"}},
           DropInAddresses{.ipv4 = {"/127.0.0.2"}},
           DropInAddresses{.ipv4 = {"127.0.0.1/127.0.0.2"}, .advertised = "only-one"},
           DropInAddresses{.ipv4 = {"127.0.0.1"}, .advertised = "a/b"},
           DropInAddresses{.ipv4 = {"300.0.0.1"}},
           DropInAddresses{.ipv6 = {"127.0.0.1"}},
       }) {
    EXPECT_TRUE(made(bad).starts_with("error: ")) << made(bad);
  }
}

TEST(DropInAddresses, no_more_than_sixteen) {
  DropInAddresses many{.ipv4 = {"127.0.0.1"}};
  for (int i = 2; i <= 16; ++i) many.ipv4.push_back(fmt::format("l{}@127.0.0.{}", i, i));
  EXPECT_FALSE(made(many).starts_with("error")) << made(many);
  many.ipv4.push_back("l17@127.0.0.17");
  EXPECT_TRUE(made(many).starts_with("error"));
}

}  // namespace
}  // namespace millrace::app
