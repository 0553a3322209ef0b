#pragma once
// For tests and benchmarks alone: plans of plain calls, and RTP to send through them.

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "dataplane/engine.hpp"
#include "dataplane/socket/port.hpp"
#include "flow/plan.hpp"

namespace millrace::dataplane::testing {

inline net::Endpoint endpoint(std::string_view text) { return net::Endpoint::parse(text).value(); }

inline net::Endpoint endpoint_of(const Destination& destination) {
  return net::Endpoint::from_sockaddr(destination.address(), destination.length()).value_or(net::Endpoint{});
}

// A datagram that parses as RTP: 12 bytes of header and `payload` bytes of media.
inline std::vector<std::byte> rtp_packet(std::uint16_t sequence, std::size_t payload = 160, std::uint32_t ssrc = 7) {
  std::vector<std::byte> bytes(12 + payload);
  const auto put = [&](std::size_t at, std::uint32_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<std::byte>(value >> (8 * (size - 1 - i)));
  };
  bytes[0] = std::byte{0x80};
  put(2, sequence, 2);
  put(4, 160u * sequence, 4);
  put(8, ssrc, 4);
  return bytes;
}

// A plain call, each side feeding the other; tests change the plan before they install copies of it.
struct Call {
  explicit Call(flow::CounterArena& arena, std::uint64_t id = 1) {
    plan.id = ConnectionId{id};
    plan.complete = true;
    for (std::size_t i = 0; i < flow::kSlots; ++i) {
      const auto slot = static_cast<flow::Slot>(i);
      flow::PortPlan port;
      port.slot = slot;
      port.local = {net::Address::ipv4(0x0a000001), Port{static_cast<std::uint16_t>(10000 + 10 * id + i)}};
      port.signalled = {net::Address::ipv4(0xc0000200 + (i < 2 ? 1 : 2)), Port{static_cast<std::uint16_t>(4000 + i)}};
      port.signalled_revision = 1;
      port.latching.rtcp = flow::is_rtcp(slot);
      port.counters = arena.take();
      port.egresses = {{.connection = plan.id, .slot = flow::other_side(slot)}};
      plan.ports.push_back(std::move(port));
    }
  }
  flow::PortPlan& port(flow::Slot slot) { return *std::ranges::find(plan.ports, slot, &flow::PortPlan::slot); }
  flow::FlowCounters sample(flow::Slot slot) { return port(slot).counters->sample(); }
  // With the sockets that are new.
  flow::Installation installation(std::array<net::UniqueFd, flow::kSlots> sockets) const {
    return {.plan = std::make_unique<const flow::FlowPlan>(plan), .sockets = std::move(sockets)};
  }

  flow::FlowPlan plan;
};

// Keeps what an engine said.
struct Listener final : EventSink {
  void on(const flow::RemoteChanged& event) override { remotes.push_back(event); }
  void on(const flow::PortClosed& event) override { closed.push_back(event.local); }
  void on(const flow::StreamChanged& event) override { streams.push_back(event); }
  void on(const flow::Removed& event) override { removed.push_back(event.connection); }
  std::vector<flow::RemoteChanged> remotes;
  std::vector<net::Endpoint> closed;
  std::vector<flow::StreamChanged> streams;
  std::vector<ConnectionId> removed;
};

}  // namespace millrace::dataplane::testing
