#include "net/udp.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cerrno>

#include "net/resolve.hpp"

namespace millrace::net {
namespace {

using ::testing::Contains;
using ::testing::StartsWith;

const Address kLoopback = Address::ipv4(0x7f000001);
const Address kLoopback6 = *Address::parse("::1");

int option(const UniqueFd& socket, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  EXPECT_EQ(::getsockopt(socket.get(), level, name, &value, &length), 0);
  return value;
}

bool has_ipv6() { return bind_udp({kLoopback6, Port{0}}, {}).has_value(); }

TEST(BindUdp, makes_a_socket_as_media_wants_it) {
  const auto socket = bind_udp({kLoopback, Port{0}}, {.receive_buffer = 100'000});
  ASSERT_TRUE(socket) << socket.error().message();
  EXPECT_EQ(option(*socket, SOL_SOCKET, SO_TIMESTAMPNS), 1);
  EXPECT_EQ(option(*socket, SOL_SOCKET, SO_RCVBUF), 200'000) << "the kernel doubles what is asked for";
  EXPECT_NE(::fcntl(socket->get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(socket->get(), F_GETFD) & FD_CLOEXEC, 0);
  const auto local = local_endpoint(socket->get());
  ASSERT_TRUE(local);
  EXPECT_EQ(local->address, kLoopback);
  EXPECT_NE(local->port, Port{0});
}

TEST(BindUdp, a_port_has_one_owner) {
  const auto first = bind_udp({kLoopback, Port{0}}, {});
  ASSERT_TRUE(first);
  const auto local = *local_endpoint(first->get());
  const auto second = bind_udp(local, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EADDRINUSE);
  EXPECT_EQ(second.error().message(), "bind " + local.to_string() + ": Address already in use");
}

TEST(BindUdp, an_address_of_another_host_is_refused) {
  EXPECT_EQ(bind_udp({*Address::parse("192.0.2.1"), Port{0}}, {}).error().code, EADDRNOTAVAIL);
}

TEST(BindUdp, an_ipv6_wildcard_leaves_the_ipv4_ports_to_others) {
  if (!has_ipv6()) GTEST_SKIP() << "this host has no IPv6";
  const auto six = bind_udp({Address::any(Family::ipv6), Port{0}}, {.timestamps = false});
  ASSERT_TRUE(six);
  EXPECT_EQ(option(*six, SOL_SOCKET, SO_TIMESTAMPNS), 0);
  // Asked, not tried: some other program may own the IPv4 port of that number.
  EXPECT_EQ(option(*six, IPPROTO_IPV6, IPV6_V6ONLY), 1);
}

TEST(UdpSocket, carries_the_tos_and_ttl_that_it_is_given) {
  const auto four = bind_udp({kLoopback, Port{0}}, {});
  const int systems_ttl = option(*four, IPPROTO_IP, IP_TTL);
  ASSERT_TRUE(set_tos(four->get(), Family::ipv4, 184) && set_ttl(four->get(), Family::ipv4, 33));
  EXPECT_EQ(option(*four, IPPROTO_IP, IP_TOS), 184);
  EXPECT_EQ(option(*four, IPPROTO_IP, IP_TTL), 33);
  ASSERT_TRUE(set_ttl(four->get(), Family::ipv4, 0));
  EXPECT_EQ(option(*four, IPPROTO_IP, IP_TTL), systems_ttl) << "0 gives it back to the system";
  EXPECT_EQ(set_tos(-1, Family::ipv4, 0).error().code, EBADF);
  if (!has_ipv6()) GTEST_SKIP() << "this host has no IPv6";
  const auto six = bind_udp({kLoopback6, Port{0}}, {});
  ASSERT_TRUE(set_tos(six->get(), Family::ipv6, 184) && set_ttl(six->get(), Family::ipv6, 33));
  EXPECT_EQ(option(*six, IPPROTO_IPV6, IPV6_TCLASS), 184);
  EXPECT_EQ(option(*six, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 33);
}

TEST(HostAddresses, hold_loopback_and_know_what_is_local) {
  EXPECT_THAT(host_addresses(), Contains(kLoopback));
  struct Case {
    const char* text;
    bool local;
  };
  for (const Case& c : {Case{"127.0.0.1", true}, Case{"127.45.6.7", true}, Case{"0.0.0.0", true}, Case{"::", true},
                        Case{"192.0.2.1", false}, Case{"224.0.0.1", false}, Case{"255.255.255.255", false},
                        Case{"ff02::1", false}, Case{"2001:db8::1", false}}) {
    EXPECT_EQ(is_local(*Address::parse(c.text)), c.local) << c.text;
  }
  EXPECT_FALSE(is_local(Address{}));
  EXPECT_EQ(source_towards(kLoopback), kLoopback);
  EXPECT_EQ(source_towards(Address{}), std::nullopt);
  const auto own = default_route_address();
  EXPECT_TRUE(!own || is_local(*own));
}

TEST(Resolve, takes_addresses_and_names_of_the_wanted_family) {
  EXPECT_EQ(resolve("192.0.2.7", Family::none)->to_string(), "192.0.2.7");
  EXPECT_EQ(resolve("localhost", Family::ipv4)->to_string(), "127.0.0.1");
  EXPECT_EQ(resolve("192.0.2.7", Family::ipv6).error().message(), "192.0.2.7 is no IPv6 address");
  EXPECT_THAT(resolve("no such name", Family::ipv4).error().message(),
              StartsWith("no IPv4 address of 'no such name': "));
}

}  // namespace
}  // namespace millrace::net
