#pragma once
// A network that loses, repeats, delays and reorders datagrams, and NATs that rewrite their ports.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "net/endpoint.hpp"
#include "sim/random.hpp"
#include "sim/schedule.hpp"

namespace millrace::sim {

using Bytes = std::vector<std::byte>;

struct Packet {
  net::Endpoint from, to;
  Bytes bytes;
};

struct Quality {
  double loss = 0;
  double repeat = 0;
  Nanoseconds delay = std::chrono::milliseconds{5};
  Nanoseconds jitter{0};  // on top of the delay; beyond the packet interval it reorders
};

class Network {
 public:
  using Receiver = std::function<void(const Packet&)>;

  Network(Schedule& schedule, Random& random, Quality quality)
      : schedule_{schedule}, random_{random}, quality_{quality} {}

  // Everything sent to the address, whatever the port.
  void attach(const net::Address& address, Receiver receiver) { hosts_[address.to_string()] = std::move(receiver); }
  void send(Packet packet);

  struct Counts {
    std::uint64_t sent = 0, lost = 0, repeated = 0, delivered = 0, unreachable = 0;
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  void deliver_later(const Packet& packet);

  Schedule& schedule_;
  Random& random_;
  Quality quality_;
  std::unordered_map<std::string, Receiver> hosts_;
  Counts counts_;
};

// One inside endpoint has one outside port towards everybody; from outside only those get in that were sent to
// (RFC 4787: endpoint-independent mapping, address and port-dependent filtering).
class Nat {
 public:
  Nat(Network& network, net::Address outside);
  void attach(const net::Endpoint& inside, Network::Receiver receiver);
  void send(Packet packet);
  // As after a reboot: new ports, nothing is let in until something went out.
  void rebind();
  [[nodiscard]] net::Endpoint outside_of(const net::Endpoint& inside);

 private:
  struct Mapping {
    net::Endpoint inside;
    std::uint16_t outside_port = 0;
    std::vector<net::Endpoint> contacted;
    Network::Receiver receiver;
  };
  Mapping& mapping_of(const net::Endpoint& inside);
  void receive(const Packet& packet);

  Network& network_;
  net::Address outside_;
  std::vector<Mapping> mappings_;
  std::uint16_t next_port_ = 40000;
};

}  // namespace millrace::sim
