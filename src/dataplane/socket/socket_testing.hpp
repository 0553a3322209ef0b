#pragma once
// For tests alone: peers and ports on loopback.

#include <poll.h>

#include <optional>
#include <string_view>
#include <vector>

#include "dataplane/socket/testing.hpp"
#include "net/udp.hpp"

namespace millrace::dataplane::testing {

// Binds exactly there; an empty descriptor when that port is taken.
inline net::UniqueFd socket_at(const net::Endpoint& local) {
  auto socket = net::bind_udp(local, {});
  return socket ? std::move(*socket) : net::UniqueFd{};
}

inline net::Endpoint any_port(std::string_view host) { return {net::Address::parse(host).value(), Port{0}}; }

// A party: one socket on a port of the kernel's choice.
struct Peer {
  explicit Peer(std::string_view host)
      : socket{net::bind_udp(any_port(host), {}).value()}, local{net::local_endpoint(socket.get()).value()} {}

  void send(std::span<const std::byte> bytes, const net::Endpoint& to) {
    sockaddr_storage address;
    const auto length = to.to_sockaddr(address);
    const auto sent =
        ::sendto(socket.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&address), length);
    MR_CHECK(sent == static_cast<ssize_t>(bytes.size()));
  }
  std::optional<std::vector<std::byte>> receive(int wait_ms) {
    pollfd ready{.fd = socket.get(), .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, wait_ms) != 1) return std::nullopt;
    std::vector<std::byte> bytes(65536);
    sockaddr_storage from;
    socklen_t length = sizeof from;
    const auto size =
        ::recvfrom(socket.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
    if (size < 0) return std::nullopt;
    last_from = net::Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&from), length).value();
    bytes.resize(static_cast<std::size_t>(size));
    return bytes;
  }

  net::UniqueFd socket;
  net::Endpoint local, last_from;
};

// A call between two peers, with bound sockets for its four ports.
struct LiveCall {
  LiveCall(flow::CounterArena& arena, std::uint64_t id, std::string_view offerer_host = "127.0.0.1",
           std::string_view answerer_host = "127.0.0.1")
      : offerer{offerer_host}, answerer{answerer_host}, plan{arena, id} {
    plan.port(flow::Slot::offerer_rtp).signalled = offerer.local;
    plan.port(flow::Slot::answerer_rtp).signalled = answerer.local;
    plan.port(flow::Slot::offerer_rtcp).signalled = offerer.local.next_port();
    plan.port(flow::Slot::answerer_rtcp).signalled = answerer.local.next_port();
    for (const auto slot : {flow::Slot::offerer_rtp, flow::Slot::offerer_rtcp}) bind(slot, offerer_host);
    for (const auto slot : {flow::Slot::answerer_rtp, flow::Slot::answerer_rtcp}) bind(slot, answerer_host);
  }
  void bind(flow::Slot slot, std::string_view host) {
    auto& socket = sockets[static_cast<std::size_t>(slot)];
    socket = net::bind_udp(any_port(host), {}).value();
    fds[static_cast<std::size_t>(slot)] = socket.get();
    plan.port(slot).local = net::local_endpoint(socket.get()).value();
  }
  void renew(flow::Slot slot) { bind(slot, plan.port(slot).local.address.to_string()); }
  [[nodiscard]] net::Endpoint local(flow::Slot slot) { return plan.port(slot).local; }
  // The descriptor that was bound last; whoever installed it owns it.
  [[nodiscard]] int fd(flow::Slot slot) const { return fds[static_cast<std::size_t>(slot)]; }
  // The plan as it is now, and the sockets that no installation has taken yet.
  flow::Installation take_installation() { return plan.installation(std::move(sockets)); }

  Peer offerer, answerer;
  Call plan;
  std::array<net::UniqueFd, flow::kSlots> sockets;
  std::array<int, flow::kSlots> fds{};
};

}  // namespace millrace::dataplane::testing
