#include "net/interfaces.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "config/manual.hpp"

namespace millrace::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Address kPublic = *Address::parse("198.51.100.7");
const Address kLan = *Address::parse("10.0.0.1");
const Address kLan6 = *Address::parse("fd00::1");
const Address kStranger = *Address::parse("203.0.113.9");

Host host_with(const std::vector<Address>& addresses, std::optional<Address> default_route) {
  return {.addresses = addresses, .default_route = default_route, .has = [addresses](const Address& address) {
            return address.is_any() || std::ranges::count(addresses, address) != 0;
          }};
}
const Host kHost = host_with({Address::ipv4(0x7f000001), kPublic, kLan, kLan6}, kPublic);

InterfaceSettings named(std::string name, std::vector<Address> addresses) {
  return {.name = std::move(name), .addresses = std::move(addresses), .advertised = {}, .ports = {}};
}

TEST(MediaInterfaces, are_the_address_of_the_default_route_when_nothing_is_said) {
  const auto made = media_interfaces({}, {}, kHost);
  ASSERT_TRUE(made);
  ASSERT_EQ(made->interfaces.size(), 1u);
  EXPECT_THAT(made->interfaces[0].addresses, ElementsAre(kPublic));
  EXPECT_EQ(made->interfaces[0].range.last, 19998);
  EXPECT_THAT(made->notes, IsEmpty());
}

TEST(MediaInterfaces, are_loopback_with_a_note_without_a_default_route) {
  const auto made = media_interfaces({}, {}, host_with({}, std::nullopt));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->interfaces[0].addresses[0].to_string(), "127.0.0.1");
  EXPECT_THAT(made->notes, ElementsAre(HasSubstr("no default route")));
}

TEST(MediaInterfaces, an_address_that_is_set_is_the_default_before_the_named_ones) {
  Settings settings;
  settings.address = kLan;
  settings.advertised = "media.example.net";
  auto wan = named("wan", {kPublic});
  wan.ports = PortRange{40000, 40998};
  const auto made = media_interfaces(settings, {wan, named("six", {kLan6})}, kHost);
  ASSERT_TRUE(made);
  ASSERT_EQ(made->interfaces.size(), 3u);
  EXPECT_EQ(made->interfaces[0].name, "");
  EXPECT_EQ(made->interfaces[0].advertised, "media.example.net");
  EXPECT_EQ(made->interfaces[1].range.first, 40000);
  EXPECT_EQ(made->interfaces[2].range.first, 10000);
}

TEST(MediaInterfaces, the_first_named_one_is_the_default_otherwise) {
  const auto made = media_interfaces({}, {named("wan", {kPublic}), named("lan", {kLan})}, kHost);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->interfaces.front().name, "wan");
  EXPECT_EQ(made->interfaces.size(), 2u);
}

TEST(MediaInterfaces, every_mistake_is_named_with_the_addresses_that_there_are) {
  Settings settings;
  settings.address = kStranger;
  const auto made = media_interfaces(settings,
                                     {named("wan", {kStranger}), named("wan", {kPublic}), named("both", {kLan, kLan6}),
                                      named("", {kLan}), named("x", {})},
                                     kHost);
  ASSERT_FALSE(made);
  const std::string have = "203.0.113.9 is not on this host, which has 127.0.0.1, 198.51.100.7, 10.0.0.1, fd00::1";
  EXPECT_THAT(made.error(),
              ElementsAre("media.address: " + have, "interface wan: " + have, "interface wan: is named twice",
                          "interface both: mixes IPv4 and IPv6 addresses", "interface #4: has no name",
                          "interface x: has no addresses"));
  Settings lonely;
  lonely.advertised = "198.51.100.7";
  EXPECT_THAT(media_interfaces(lonely, {named("lan", {kLan})}, kHost).error(),
              ElementsAre("media.advertised: needs media.address"));
}

TEST(MediaInterfaces, this_host_has_loopback) {
  Settings settings;
  settings.address = Address::ipv4(0x7f000001);
  EXPECT_TRUE(media_interfaces(settings, {}, this_host()));
}

TEST(NetSettings, are_declared_without_fault) {
  EXPECT_THAT(
      config::declaration_faults({config::describe(Settings::schema), config::describe(InterfaceSettings::schema)}),
      IsEmpty());
}

TEST(NetSettings, a_port_range_holds_both_ports_of_each_pair) {
  struct Case {
    const char* text;
    int first, last;  // 0: refused
  };
  for (const Case& c :
       {Case{"10000-20000", 10000, 19998}, Case{"10000-19999", 10000, 19998}, Case{"10001-10004", 10002, 10002},
        Case{"10000-10001", 10000, 10000}, Case{"1-65535", 2, 65534}, Case{"10000-10000", 0, 0},
        Case{"10001-10002", 0, 0}, Case{"20000-10000", 0, 0}, Case{"0-100", 0, 0}, Case{"65535-65535", 0, 0},
        Case{"10000", 0, 0}, Case{"", 0, 0}, Case{"-", 0, 0}, Case{"1-65536", 0, 0}, Case{"10000 - 20000", 0, 0}}) {
    const auto range = config::Text<PortRange>::parse(c.text);
    ASSERT_EQ(range.has_value(), c.first != 0) << c.text;
    if (!range) continue;
    EXPECT_EQ(range->first, c.first) << c.text;
    EXPECT_EQ(range->last, c.last) << c.text;
    const auto again = config::Text<PortRange>::parse(config::Text<PortRange>::print(*range));
    EXPECT_EQ(again->last, range->last) << c.text;
  }
}

TEST(NetSettings, a_bad_address_is_a_mistake_of_its_line) {
  const auto document =
      config::Document::from_text("[[interface]]\nname = \"lan\"\naddresses = [\"10.0.0.300\"]\n", "m.toml");
  const auto read = config::read(*document, InterfaceSettings::schema);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().front().to_string(),
            "m.toml:3: interface.addresses: \"10.0.0.300\" is no IP address; allowed: a list, each an IP address");
}

}  // namespace
}  // namespace millrace::net
