#pragma once
// A whole Millrace on the virtual clock: the deciding half and the relay of one worker, joined without threads and
// sockets. Keeps its own books of what arrived and left, for the tests to compare with the counters.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "dataplane/socket/connections.hpp"
#include "dataplane/socket/relay.hpp"
#include "flow/counters.hpp"
#include "net/port_pool.hpp"
#include "session/calls.hpp"
#include "sim/network.hpp"
#include "sim/schedule.hpp"

namespace millrace::sim {

class Node final : public flow::Forwarder, private session::ChangeListener {
 public:
  Node(Schedule& schedule, Network& network, session::Settings settings);

  session::Reply command(const session::Command& command);
  [[nodiscard]] const session::Calls& calls() const { return calls_; }
  [[nodiscard]] const flow::CounterArena& counters() const { return counters_; }
  [[nodiscard]] net::PortPoolStatistics ports() const { return pool_.statistics(); }
  [[nodiscard]] std::size_t relayed_connections() const { return connections_.size(); }

  struct Books {
    std::array<std::uint64_t, flow::kSlots> arrived{}, sent{};  // by slot
  };
  struct Ended {
    session::Change change;
    Books books;
    TimePoint at, last_accepted;
  };
  [[nodiscard]] const std::vector<Ended>& ended() const { return ended_; }
  [[nodiscard]] std::uint64_t arrived() const { return arrived_; }          // at ports of connections
  [[nodiscard]] std::uint64_t to_nobody() const { return to_nobody_; }      // at ports that were closed

  bool accepts_new() const override { return true; }
  void install(flow::Installation installation) override;
  void remove(ConnectionId connection) override;

 private:
  struct Place {
    ConnectionId connection;
    flow::Slot slot = flow::Slot::offerer_rtp;
  };
  void on_change(const session::Change& change) override;
  void receive(const Packet& packet);
  void tell();  // events of the relay to the deciding half
  void tick();

  Schedule& schedule_;
  Network& network_;
  session::Settings settings_;
  net::PortPool pool_;
  flow::CounterArena counters_;
  dataplane::Connections connections_;
  dataplane::Relay relay_{connections_};
  session::Calls calls_;
  std::map<std::uint16_t, Place> open_;  // by local port
  std::vector<flow::PortClosed> closed_;
  std::vector<flow::Removed> removed_;
  std::map<std::uint64_t, Books> books_;
  std::map<std::uint64_t, TimePoint> accepted_;
  std::vector<Ended> ended_;
  std::uint64_t arrived_ = 0, to_nobody_ = 0;
};

inline const net::Address kNodeAddress = net::Address::ipv4(0x0a000001);  // 10.0.0.1

}  // namespace millrace::sim
