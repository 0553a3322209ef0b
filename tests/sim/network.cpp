#include "sim/network.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace millrace::sim {

void Network::send(Packet packet) {
  ++counts_.sent;
  if (random_.chance(quality_.loss)) {
    ++counts_.lost;
    return;
  }
  deliver_later(packet);
  if (random_.chance(quality_.repeat)) {
    ++counts_.repeated;
    deliver_later(packet);
  }
}

void Network::deliver_later(const Packet& packet) {
  const Nanoseconds jitter{random_.between(0, quality_.jitter.count())};
  schedule_.after(quality_.delay + jitter, [this, packet] {
    const auto host = hosts_.find(packet.to.address.to_string());
    if (host == hosts_.end()) {
      ++counts_.unreachable;
      return;
    }
    ++counts_.delivered;
    host->second(packet);
  });
}

Nat::Nat(Network& network, net::Address outside) : network_{network}, outside_{outside} {
  network_.attach(outside_, [this](const Packet& packet) { receive(packet); });
}

void Nat::attach(const net::Endpoint& inside, Network::Receiver receiver) {
  mappings_.push_back(
      {.inside = inside, .outside_port = next_port_++, .contacted = {}, .receiver = std::move(receiver)});
}

void Nat::send(Packet packet) {
  Mapping& mapping = mapping_of(packet.from);
  if (std::ranges::find(mapping.contacted, packet.to) == mapping.contacted.end())
    mapping.contacted.push_back(packet.to);
  packet.from = outside_of(mapping.inside);
  network_.send(std::move(packet));
}

void Nat::rebind() {
  for (Mapping& mapping : mappings_) {
    mapping.outside_port = next_port_++;
    mapping.contacted.clear();
  }
}

net::Endpoint Nat::outside_of(const net::Endpoint& inside) { return {outside_, Port{mapping_of(inside).outside_port}}; }

Nat::Mapping& Nat::mapping_of(const net::Endpoint& inside) {
  const auto found = std::ranges::find(mappings_, inside, &Mapping::inside);
  MR_CHECK(found != mappings_.end());
  return *found;
}

void Nat::receive(const Packet& packet) {
  for (const Mapping& mapping : mappings_) {
    if (mapping.outside_port != packet.to.port.value()) continue;
    if (std::ranges::find(mapping.contacted, packet.from) == mapping.contacted.end()) return;
    Packet inside = packet;
    inside.to = mapping.inside;
    mapping.receiver(inside);
    return;
  }
}

}  // namespace millrace::sim
