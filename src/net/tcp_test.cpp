#include "net/tcp.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <cerrno>

#include "net/udp.hpp"

namespace millrace::net {
namespace {

const Endpoint kAnyLoopback{Address::ipv4(0x7f000001), Port{0}};

int option(int socket, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  EXPECT_EQ(::getsockopt(socket, level, name, &value, &length), 0);
  return value;
}

Endpoint local_of(const UniqueFd& socket) { return local_endpoint(socket.get()).value(); }

bool becomes(const UniqueFd& socket, short what) {
  pollfd ready{.fd = socket.get(), .events = what, .revents = 0};
  return ::poll(&ready, 1, 5000) == 1;
}

UniqueFd accepted(const UniqueFd& listener) {
  EXPECT_TRUE(becomes(listener, POLLIN));
  return UniqueFd{::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
}

TEST(TcpSocket, a_listener_takes_a_connection_from_the_port_that_was_kept) {
  const auto listener = listen_tcp(kAnyLoopback);
  const auto kept = reserve_tcp(kAnyLoopback);
  ASSERT_TRUE(listener && kept);
  for (const UniqueFd* socket : {&*listener, &*kept}) {
    EXPECT_NE(::fcntl(socket->get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(socket->get(), F_GETFD) & FD_CLOEXEC, 0);
  }
  const auto connection = connect_tcp(local_of(*kept), local_of(*listener));
  ASSERT_TRUE(connection) << connection.error().message();
  EXPECT_TRUE(becomes(*connection, POLLOUT));
  EXPECT_EQ(option(connection->get(), SOL_SOCKET, SO_ERROR), 0);
  EXPECT_TRUE(accepted(*listener));
  EXPECT_EQ(local_of(*connection), local_of(*kept)) << "the destination sees the port that was kept";
}

TEST(TcpSocket, what_the_kernel_chooses_is_nobody_elses) {
  const auto one = reserve_tcp(kAnyLoopback), other = reserve_tcp(kAnyLoopback);
  ASSERT_TRUE(one && other);
  EXPECT_NE(local_of(*one), local_of(*other));
}

TEST(TcpSocket, a_port_has_one_listener) {
  const auto first = listen_tcp(kAnyLoopback);
  ASSERT_TRUE(first);
  const auto second = listen_tcp(local_of(*first));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EADDRINUSE);
  EXPECT_FALSE(reserve_tcp(local_of(*first))) << "nor is it kept for connections beside a listener";
}

TEST(TcpSocket, an_address_of_another_host_is_refused_and_named) {
  const auto socket = listen_tcp({*Address::parse("192.0.2.1"), Port{5000}});
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().message(), "bind 192.0.2.1:5000: Cannot assign requested address");
}

TEST(TcpSocket, a_refused_connection_says_so_when_it_becomes_writable) {
  const auto kept = reserve_tcp(kAnyLoopback);   // so that nobody listens there meanwhile
  const auto gone = local_of(*kept);
  const auto connection = connect_tcp(kAnyLoopback, gone);
  if (!connection) {   // loopback may answer at once
    EXPECT_EQ(connection.error().message(), "connect " + gone.to_string() + ": Connection refused");
    return;
  }
  ASSERT_TRUE(becomes(*connection, POLLOUT));
  EXPECT_EQ(option(connection->get(), SOL_SOCKET, SO_ERROR), ECONNREFUSED);
}

TEST(TcpSocket, serves_ipv6_alone_on_ipv6) {
  const auto listener = listen_tcp({*Address::parse("::1"), Port{0}});
  if (!listener) GTEST_SKIP() << "this host has no IPv6";
  EXPECT_EQ(option(listener->get(), IPPROTO_IPV6, IPV6_V6ONLY), 1);
}

TEST(TcpSocket, carries_the_times_that_it_is_given) {
  const auto socket = reserve_tcp(kAnyLoopback);
  ASSERT_TRUE(set_stream_options(socket->get(),
                                 {.keep_alive = std::chrono::seconds{33}, .user_timeout = std::chrono::seconds{44}}));
  EXPECT_EQ(option(socket->get(), SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(socket->get(), IPPROTO_TCP, TCP_KEEPIDLE), 33);
  EXPECT_EQ(option(socket->get(), IPPROTO_TCP, TCP_USER_TIMEOUT), 44'000);
  EXPECT_EQ(option(socket->get(), IPPROTO_TCP, TCP_NODELAY), 1);
  ASSERT_TRUE(set_stream_options(socket->get(), {}));
  EXPECT_EQ(option(socket->get(), SOL_SOCKET, SO_KEEPALIVE), 0);
  ASSERT_TRUE(set_stream_options(socket->get(), {.keep_alive = std::chrono::hours{1000}}));
  EXPECT_EQ(set_stream_options(-1, {}).error().code, EBADF);
}

}  // namespace
}  // namespace millrace::net
