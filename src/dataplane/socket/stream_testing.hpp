#pragma once
// For tests alone: parties that speak TCP on loopback, and sessions between them on a worker that a test drives.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <fcntl.h>
#include <csignal>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/socket/socket_testing.hpp"
#include "dataplane/socket/worker.hpp"
#include "net/tcp.hpp"

namespace millrace::dataplane::testing {

using Bytes = std::vector<std::byte>;

inline Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span{text});
  return {bytes.begin(), bytes.end()};
}
// Bytes that differ wherever one looks, so that a lost or repeated one shows.
inline Bytes pattern(std::size_t size, std::uint32_t seed = 1) {
  Bytes bytes(size);
  std::uint32_t state = seed;
  for (std::byte& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

// One end of a TCP connection outside of the relay. Non-blocking.
struct TcpPeer {
  TcpPeer() = default;
  explicit TcpPeer(net::UniqueFd owned) : socket{std::move(owned)} {}

  // What the kernel takes of `bytes`, from `at` on.
  std::size_t send_some(std::span<const std::byte> bytes) {
    const auto sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }
  void receive_some(std::size_t at_most = 1 << 20) {
    Bytes bytes(at_most);
    const auto count = ::recv(socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count > 0) received.insert(received.end(), bytes.begin(), bytes.begin() + count);
    if (count == 0) ended = true;
    if (count < 0 && errno != EAGAIN) error = errno;
  }
  void shut() const { ::shutdown(socket.get(), SHUT_WR); }
  void reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    socket = net::UniqueFd{};
  }
  [[nodiscard]] std::string text() const { return {reinterpret_cast<const char*>(received.data()), received.size()}; }
  [[nodiscard]] bool closed() const { return ended || error != 0; }

  net::UniqueFd socket;
  Bytes received;
  bool ended = false;
  int error = 0;
};

inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for (int fd = 0; fd < 4096; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

class StreamTest : public ::testing::Test {
 protected:
  explicit StreamTest(std::size_t pipes = kPipes) : worker_{Worker::create(0, bell_.get(), pipes).value()} {
    ::signal(SIGPIPE, SIG_IGN);   // as the daemon does
  }

  // A session whose sides travel as told, towards `destination_` for streams and `udp_` for datagrams.
  Call session(flow::Transport client, flow::Transport destination, std::uint64_t id = 1) {
    Call call{arena_, id};
    auto& ports = call.plan.ports;
    for (const auto slot : {flow::Slot::offerer_rtp, flow::Slot::answerer_rtp}) {
      const auto transport = slot == flow::Slot::offerer_rtp ? client : destination;
      auto& port = call.port(slot);
      port.transport = transport;
      auto& rtcp = call.port(flow::rtcp_of(slot));
      if (!flow::is_stream(transport)) {
        bind_udp(port);
        bind_udp(rtcp);
      } else {
        auto& socket = sockets_[static_cast<std::size_t>(slot)];
        const auto any = any_port("127.0.0.1");
        socket = (slot == flow::Slot::offerer_rtp ? net::listen_tcp(any) : net::reserve_tcp(any)).value();
        port.local = net::local_endpoint(socket.get()).value();
      }
    }
    call.port(flow::Slot::offerer_rtp).signalled = {};
    call.port(flow::Slot::answerer_rtp).signalled = flow::is_stream(destination) ? destination_at() : udp_.local;
    call.port(flow::Slot::answerer_rtcp).signalled = udp_rtcp_.local;
    const bool framed = client != destination || client == flow::Transport::framed_stream;
    if (framed && flow::is_stream(client)) feed_framed(call, flow::Slot::offerer_rtp, destination);
    if (framed && flow::is_stream(destination)) feed_framed(call, flow::Slot::answerer_rtp, client);
    std::erase_if(ports, [&](const flow::PortPlan& port) {
      if (!flow::is_rtcp(port.slot)) return false;
      return flow::is_stream(port.slot == flow::Slot::offerer_rtcp ? client : destination);
    });
    return call;
  }
  void install(const Call& call) {
    ASSERT_TRUE(worker_->post(call.installation(std::exchange(sockets_, {}))));
    turn();
  }

  void turn(int wait_ms = 0) { worker_->run_turn(wait_ms); }
  // Turns until it is so, for some seconds at most.
  ::testing::AssertionResult until(const std::function<bool()>& so) {
    for (int i = 0; i < 5000; ++i) {
      if (so()) return ::testing::AssertionSuccess();
      turn(1);
    }
    return ::testing::AssertionFailure() << "it never came";
  }

  [[nodiscard]] net::Endpoint destination_at() const { return net::local_endpoint(destination_.get()).value(); }
  TcpPeer client_of(const Call& call) {
    return TcpPeer{net::connect_tcp(any_port("127.0.0.1"), call.plan.ports.front().local).value()};
  }
  // The connection that the relay made to the destination.
  TcpPeer arrived() {
    TcpPeer peer;
    EXPECT_TRUE(until([&] {
      sockaddr_storage from{};
      socklen_t length = sizeof from;
      auto* const raw = reinterpret_cast<sockaddr*>(&from);
      peer.socket = net::UniqueFd{::accept4(destination_.get(), raw, &length, SOCK_NONBLOCK | SOCK_CLOEXEC)};
      if (peer.socket) arrived_from_ = net::Endpoint::from_sockaddr(raw, length).value();
      return static_cast<bool>(peer.socket);
    }));
    return peer;
  }
  // Soon nothing is left to do: turns wait out their time, one after the other. What the kernel still moves from buffer
  // to buffer may come in between; a worker that spins never rests.
  ::testing::AssertionResult comes_to_rest() {
    constexpr std::chrono::milliseconds kWait{20};
    int rested = 0;
    for (int i = 0; i < 500 && rested < 3; ++i) {
      const auto began = std::chrono::steady_clock::now();
      turn(static_cast<int>(kWait.count()));
      rested = std::chrono::steady_clock::now() - began >= kWait ? rested + 1 : 0;
    }
    if (rested == 3) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "there is something to do in every turn";
  }
  // Everything that one end sends comes out at the other.
  ::testing::AssertionResult carries(TcpPeer& from, TcpPeer& to, const Bytes& bytes) {
    to.received.clear();
    std::size_t sent = 0;
    const auto all = until([&] {
      if (sent < bytes.size()) sent += from.send_some(std::span{bytes}.subspan(sent));
      to.receive_some();
      return to.received.size() >= bytes.size();
    });
    if (!all) return ::testing::AssertionFailure() << to.received.size() << " of " << bytes.size() << " bytes came";
    if (to.received != bytes) return ::testing::AssertionFailure() << "other bytes came";
    return ::testing::AssertionSuccess();
  }
  bool ends(TcpPeer& peer) {
    return static_cast<bool>(until([&] {
      peer.receive_some();
      return peer.closed();
    }));
  }

  // What control has been told of streams since the last time: "connecting", "failed: the reason".
  std::vector<std::string> told() {
    turn();
    std::vector<std::string> words;
    while (auto event = worker_->next_event()) {
      if (auto* changed = std::get_if<flow::StreamChanged>(&*event)) {
        static constexpr std::array kNames{"waiting", "connecting", "connected", "failed"};
        std::string word = kNames[static_cast<std::size_t>(changed->state)];
        if (!changed->reason.empty()) word += ": " + changed->reason;
        words.push_back(word);
        last_ = *changed;
      }
      if (std::holds_alternative<flow::PortClosed>(*event)) words.emplace_back("port closed");
      if (std::holds_alternative<flow::Removed>(*event)) words.emplace_back("removed");
    }
    return words;
  }

  flow::CounterArena arena_;
  net::UniqueFd bell_{::eventfd(0, EFD_NONBLOCK)};
  std::unique_ptr<Worker> worker_;
  net::UniqueFd destination_ = net::listen_tcp(any_port("127.0.0.1")).value();
  Peer udp_{"127.0.0.1"}, udp_rtcp_{"127.0.0.1"};
  net::Endpoint arrived_from_;
  flow::StreamChanged last_;
  std::array<net::UniqueFd, flow::kSlots> sockets_;

 private:
  void bind_udp(flow::PortPlan& port) {
    auto& socket = sockets_[static_cast<std::size_t>(port.slot)];
    socket = net::bind_udp(any_port("127.0.0.1"), {}).value();
    port.local = net::local_endpoint(socket.get()).value();
  }
  // Whose packets go to the other side: to its two ports when that is datagrams, and from them back.
  static void feed_framed(Call& call, flow::Slot slot, flow::Transport other) {
    const auto to = flow::other_side(slot);
    if (flow::is_stream(other)) return;
    call.port(slot).egresses = {{call.plan.id, to, flow::Carries::all_but_rtcp},
                                {call.plan.id, flow::rtcp_of(to), flow::Carries::rtcp}};
    call.port(flow::rtcp_of(to)).egresses = {{call.plan.id, slot, flow::Carries::everything}};
  }
};

}  // namespace millrace::dataplane::testing
