// Which local address the ports of a connection are on, and what the peer is told of it.

#include <gtest/gtest.h>

#include "session/testing.hpp"

namespace millrace::session {
namespace {

using testing::address;
using testing::address_in;
using testing::error_in;
using testing::interface;
using testing::port_in;
using testing::World;
using testing::WorldOptions;

const InterfaceNamed kInternal{"internal"};
const InterfaceNamed kExternal{"external"};

WorldOptions bridging() {
  return {.interfaces = {interface("127.0.0.1", "internal"), interface("127.0.0.2", "external")}};
}

TEST(LocalAddress, the_first_interface_is_the_default) {
  World world{bridging()};
  EXPECT_EQ(address_in(world.offer("c1", "127.0.0.1:5000", "f")), "127.0.0.1");
  EXPECT_EQ(address_in(world.answer("c1", "127.0.0.1:6000", "f", "t")), "127.0.0.1");
}

TEST(LocalAddress, the_side_facing_the_party_and_the_other_are_chosen_apart) {
  struct Case {
    std::optional<LocalChoice> party, other;
    std::string_view answerer_port, offerer_port;
  };
  const std::array cases{
      Case{kInternal, kExternal, "127.0.0.2", "127.0.0.1"},    Case{kExternal, kInternal, "127.0.0.1", "127.0.0.2"},
      Case{kExternal, std::nullopt, "127.0.0.1", "127.0.0.2"}, Case{kExternal, kExternal, "127.0.0.2", "127.0.0.2"},
      Case{std::nullopt, kExternal, "127.0.0.2", "127.0.0.1"},
  };
  World world{bridging()};
  for (const Case& c : cases) {
    EXPECT_EQ(
        address_in(world.offer("c1", "127.0.0.1:5000", "f", "", {.facing_party = c.party, .facing_other = c.other})),
        c.answerer_port);
    EXPECT_EQ(address_in(world.answer("c1", "127.0.0.1:6000", "f", "t")), c.offerer_port);
    world.remove("c1", "f");
  }
}

TEST(LocalAddress, bridges_between_families) {
  World world{{.interfaces = {interface("127.0.0.1", "internal"), interface("::1", "external")}}};
  EXPECT_EQ(
      address_in(world.offer("c1", "127.0.0.1:5000", "f", "", {.facing_party = kInternal, .facing_other = kExternal})),
      "::1");
  EXPECT_EQ(address_in(world.answer("c1", "[::1]:6000", "f", "t", {.ipv6 = true})), "127.0.0.1");
}

TEST(LocalAddress, another_family_takes_the_last_interface_of_that_family) {
  World world{{.interfaces = {interface("127.0.0.1"), interface("::1", "six"), interface("::2", "seven"),
                              interface("127.0.0.9", "nine")}}};
  EXPECT_EQ(address_in(world.offer("c1", "[::1]:5000", "f", "", {.ipv6 = true})), "::2");
  EXPECT_EQ(address_in(world.answer("c1", "[::1]:6000", "f", "t", {.ipv6 = true})), "::2");
  EXPECT_EQ(address_in(world.offer("c2", "127.0.0.1:5000", "f")), "127.0.0.1");
}

TEST(LocalAddress, without_an_interface_of_the_family_nothing_is_made) {
  World world;
  EXPECT_EQ(error_in(world.offer("c1", "[::1]:5000", "f", "", {.ipv6 = true})), Error::no_address_of_family);
  EXPECT_EQ(world.calls.find("c1"), nullptr);
  World six{{.interfaces = {interface("::1")}}};
  EXPECT_EQ(error_in(six.offer("c1", "127.0.0.1:5000", "f")), Error::no_address_of_family);
}

TEST(LocalAddress, one_choice_for_every_port_of_a_new_connection) {
  World world{bridging()};
  EXPECT_EQ(address_in(world.offer("c1", "127.0.0.1:5000", "f", "", {.port_on = kExternal})), "127.0.0.2");
  EXPECT_EQ(address_in(world.answer("c1", "127.0.0.1:6000", "f", "t")), "127.0.0.2");
  EXPECT_EQ(address_in(world.offer("c2", "127.0.0.1:5000", "f", "", {.port_on = LocalAddress{address("127.0.0.2")}})),
            "127.0.0.2");
}

TEST(LocalAddress, the_first_answer_may_choose_for_its_port) {
  World world{bridging()};
  world.offer("c1", "127.0.0.1:5000", "f");
  EXPECT_EQ(address_in(world.answer("c1", "127.0.0.1:6000", "f", "t", {.port_on = kExternal})), "127.0.0.2");
  EXPECT_EQ(address_in(world.offer("c1", "127.0.0.1:5000", "f", "t")), "127.0.0.1");
}

TEST(LocalAddress, on_an_existing_leg_only_a_renewed_port_moves) {
  World world{bridging()};
  const PartySide both{.facing_party = kInternal, .facing_other = kExternal};
  world.offer("c1", "127.0.0.1:5000", "f");
  EXPECT_EQ(address_in(world.offer("c1", "127.0.0.1:5000", "f", "", both)), "127.0.0.1");
  EXPECT_EQ(address_in(world.offer("c1", "127.0.0.1:5000", "f", "", {.port_on = kExternal})), "127.0.0.1");
  EXPECT_EQ(address_in(world.offer("c1", "127.0.0.1:5000", "f", "", {.new_port = true, .facing_party = kExternal})),
            "127.0.0.1");
  PartySide renewed = both;
  renewed.new_port = true;
  EXPECT_EQ(address_in(world.offer("c1", "127.0.0.1:5000", "f", "", renewed)), "127.0.0.2");
  EXPECT_EQ(address_in(world.offer("c1", "127.0.0.1:5000", "f", "", {.new_port = true})), "127.0.0.2")
      << "it stays there";
  EXPECT_EQ(address_in(world.offer("c1", "127.0.0.1:5000", "f", "", {.new_port = true, .port_on = kInternal})),
            "127.0.0.1");
}

TEST(LocalAddress, unknown_choices_are_named_and_change_nothing) {
  World world;
  const auto refused = [&world](LocalChoice choice) {
    return error_in(world.offer("c1", "127.0.0.1:5000", "f", "", {.port_on = std::move(choice)}));
  };
  EXPECT_EQ(refused(InterfaceNamed{"nowhere"}), Error::no_such_address);
  EXPECT_EQ(refused(LocalAddress{address("192.0.2.1")}), Error::no_such_address);
  EXPECT_EQ(refused(RouteTo{address("203.0.113.1")}), Error::no_route);
  EXPECT_EQ(world.calls.find("c1"), nullptr);
  world.offer("c1", "127.0.0.1:5000", "f");
  EXPECT_EQ(error_in(world.answer("c1", "127.0.0.1:6000", "f", "t", {.port_on = InterfaceNamed{"nowhere"}})),
            Error::no_such_address);
  EXPECT_FALSE(world.only_plan().complete);
}

TEST(LocalAddress, any_address_of_the_host_may_be_named_or_routed_to) {
  World world{
      {.host_addresses = {"192.0.2.7"}, .routes = {{"203.0.113.1", "192.0.2.7"}, {"203.0.113.2", "127.0.0.1"}}}};
  EXPECT_EQ(address_in(world.offer("c1", "127.0.0.1:5000", "f", "", {.port_on = LocalAddress{address("192.0.2.7")}})),
            "192.0.2.7");
  EXPECT_EQ(address_in(world.offer("c2", "127.0.0.1:5000", "f", "", {.port_on = RouteTo{address("203.0.113.1")}})),
            "192.0.2.7");
  EXPECT_EQ(address_in(world.offer("c3", "127.0.0.1:5000", "f", "", {.port_on = RouteTo{address("203.0.113.2")}})),
            "127.0.0.1");
}

TEST(LocalAddress, what_is_advertised_stands_for_the_interfaces_own_addresses_alone) {
  WorldOptions options;
  options.interfaces = {interface("0.0.0.0"), interface("127.0.0.2", "out")};
  options.interfaces[0].advertised = options.interfaces[1].advertised = "media.example.net";
  World world{options};
  const auto advertised = [](const Reply& reply) { return std::get<LocalMedia>(reply).advertised; };
  EXPECT_EQ(advertised(world.offer("c1", "127.0.0.1:5000", "f", "", {.port_on = InterfaceNamed{"out"}})),
            "media.example.net");
  const Reply exact = world.offer("c2", "127.0.0.1:5000", "f", "", {.port_on = LocalAddress{address("127.0.0.3")}});
  EXPECT_EQ(address_in(exact), "127.0.0.3");
  EXPECT_EQ(advertised(exact), "");
  EXPECT_TRUE(std::get<LocalMedia>(world.offer("c3", "127.0.0.1:5000", "f")).local.address.is_any());
}

}  // namespace
}  // namespace millrace::session
