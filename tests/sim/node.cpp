#include "sim/node.hpp"

namespace millrace::sim {

Node::Node(Schedule& schedule, Network& network, session::Settings settings)
    : schedule_{schedule},
      network_{network},
      settings_{settings},
      pool_{{{.name = "", .addresses = {kNodeAddress}, .advertised = "", .range = {10000, 10998}}},
            {.order = net::PortOrder::random, .seed = 1},
            [](const net::Endpoint&) { return net::UniqueFd{}; }},
      calls_{settings_, pool_, *this, counters_} {
  calls_.add_listener(*this);
  network_.attach(kNodeAddress, [this](const Packet& packet) { receive(packet); });
  schedule_.after(std::chrono::seconds{1}, [this] { tick(); });
}

session::Reply Node::command(const session::Command& command) {
  session::Reply reply = calls_.execute(command, schedule_.now());
  calls_.flush();
  tell();
  return reply;
}

void Node::tick() {
  calls_.tick(schedule_.now());
  tell();
  schedule_.after(std::chrono::seconds{1}, [this] { tick(); });
}

void Node::install(flow::Installation installation) {
  const flow::FlowPlan& plan = *installation.plan;
  dataplane::Closed closed;
  connections_.install(plan, std::move(installation.sockets), schedule_.now(), closed);
  for (const net::Endpoint& rtp : closed.pairs) {
    open_.erase(rtp.port.value());
    open_.erase(rtp.next_port().port.value());
    closed_.push_back({rtp});
  }
  for (const flow::PortPlan& port : plan.ports) open_[port.local.port.value()] = {plan.id, port.slot};
}

void Node::remove(ConnectionId connection) {
  dataplane::Closed closed;
  connections_.remove(connection, closed);
  for (const net::Endpoint& rtp : closed.pairs) {
    open_.erase(rtp.port.value());
    open_.erase(rtp.next_port().port.value());
    closed_.push_back({rtp});
  }
  removed_.push_back({connection});
}

void Node::receive(const Packet& packet) {
  const auto place = open_.find(packet.to.port.value());
  if (place == open_.end()) {
    ++to_nobody_;
    return;
  }
  const auto [id, slot] = place->second;
  dataplane::MediaPort& port = connections_.find(id)->port(slot);
  Books& books = books_[id.value()];
  ++arrived_;
  ++books.arrived[std::to_underlying(slot)];

  const Now now = schedule_.now();
  const std::uint64_t accepted = port.counters->get(flow::Count::packets_in);
  Bytes bytes = packet.bytes;
  const dataplane::Datagram in{.bytes = bytes, .from = packet.from, .stamp = now.wall};
  dataplane::Sends sends;
  relay_.on_datagram(port, in, now, sends);
  for (dataplane::Send& send : sends) {
    const auto to = net::Endpoint::from_sockaddr(send.out->destination.address(), send.out->destination.length());
    network_.send({.from = send.out->local, .to = to.value(), .bytes = {send.bytes.begin(), send.bytes.end()}});
    ++books_[send.out->connection->id.value()].sent[std::to_underlying(send.out->slot)];
    send.sent = true;
  }
  (void)relay_.on_sent(port, in, sends, now.wall);
  if (port.counters->get(flow::Count::packets_in) != accepted) accepted_[id.value()] = now.mono;
  tell();
}

void Node::tell() {
  const Now now = schedule_.now();
  while (const dataplane::MediaPort* port = connections_.changed()) {
    calls_.on(
        flow::RemoteChanged{.connection = port->connection->id, .slot = port->slot, .remote = port->latch.state()},
        now);
    connections_.changed_was_told();
  }
  for (const auto& event : std::exchange(closed_, {})) calls_.on(event, now);
  for (const auto& event : std::exchange(removed_, {})) calls_.on(event, now);
}

void Node::on_change(const session::Change& change) {
  if (!std::holds_alternative<session::ConnectionEnded>(change.what)) return;
  const auto id = change.connection.value();
  ended_.push_back({.change = change, .books = books_[id], .at = schedule_.now().mono, .last_accepted = accepted_[id]});
}

}  // namespace millrace::sim
