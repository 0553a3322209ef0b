#include "dataplane/socket/connections.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/check.hpp"
#include "dataplane/socket/stream_pair.hpp"

namespace millrace::dataplane {
namespace {

const flow::PortPlan* plan_of(const flow::FlowPlan& plan, flow::Slot slot) {
  const auto found = std::ranges::find(plan.ports, slot, &flow::PortPlan::slot);
  return found == plan.ports.end() ? nullptr : &*found;
}

}  // namespace

bool Connections::is_renewed(const MediaPort& port, const flow::PortPlan& plan, const net::UniqueFd& socket) {
  return socket || plan.local != port.local || plan.transport != port.transport;
}

Connection* Connections::find(ConnectionId id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

Connection& Connections::install(const flow::FlowPlan& plan, Sockets sockets, Now now, Closed& closed) {
  auto& block = connections_[plan.id];
  if (!block) {
    block = std::make_unique<Connection>();
    block->id = plan.id;
    make_room();
  }
  Connection& connection = *block;
  unsubscribe(connection);
  connection.complete = plan.complete;
  set_limit(connection, plan.limit, now.mono);
  for (MediaPort& port : connection.ports) {
    const flow::PortPlan* ours = plan_of(plan, port.slot);
    auto& socket = sockets[static_cast<std::size_t>(port.slot)];
    if (ours != nullptr) {
      update_port(port, *ours, std::move(socket), now, closed);
    } else {
      close_port(port, closed);
    }
  }
  subscribe(connection);
  link(connection);
  link_subscribers(connection.id);
  return connection;
}

// The buckets stay as full as they are: a plan that only moves an address lets nobody burst again.
void Connections::set_limit(Connection& connection, const flow::RateLimit& limit, TimePoint now) {
  if (!limit.is_set()) {
    connection.limits = nullptr;
    return;
  }
  if (!connection.limits) connection.limits = std::make_unique<Limits>();
  connection.limits->set(limit, now);
}

void Connections::update_port(MediaPort& port, const flow::PortPlan& plan, net::UniqueFd socket, Now now,
                              Closed& closed) {
  MR_CHECK(plan.counters != nullptr && plan.egresses.size() <= flow::kMaxEgresses);
  if (port.open && is_renewed(port, plan, socket)) close_port(port, closed);
  if (!port.open) {
    port.open = true;
    port.socket = std::move(socket);
    port.local = plan.local;
    port.transport = plan.transport;
    port.watched_as = flow::is_stream(plan.transport) ? Watched::listener : Watched::datagrams;
    port.destination.set({});
    port.refresh_destination();
  }
  port.counters = plan.counters;
  port.tos = plan.tos;
  port.ttl = plan.ttl;
  port.double_small = plan.double_small && !flow::is_stream(plan.transport);
  port.links.clear();
  for (const flow::Egress& egress : plan.egresses) port.links.push_back({.egress = egress});

  // The latch is only told what is new: setting the same rules, or the same address, again would be a command.
  if (plan.latching != port.latch.rules()) port.latch.set_rules(plan.latching, now);
  if (plan.signalled_revision != port.signalled_revision) {
    port.signalled_revision = plan.signalled_revision;
    if (!plan.signalled.is_set() || plan.signalled.address.is_any()) return;
    port.latch.signal(plan.signalled, now);
    port.refresh_destination();
    // Control named the address itself: it needs telling only if what it was told before is no longer so.
    if (port.told) mark_changed(port);
  }
}

// For mark_changed(), which may not allocate.
void Connections::make_room() {
  const std::size_t ports = flow::kSlots * connections_.size();
  if (changed_.capacity() < ports) changed_.reserve(2 * ports);
}

void Connections::close_port(MediaPort& port, Closed& closed) {
  if (!port.open) return;
  port.open = false;
  port.watched = false;
  port.marked_tos = port.marked_ttl = 0;
  closed.sockets[static_cast<std::size_t>(port.slot)] = std::exchange(port.socket, net::UniqueFd{});
  if (!flow::is_rtcp(port.slot)) closed.pairs.push_back(port.local);
}

void Connections::remove(ConnectionId id, Closed& closed) {
  const auto connection = release(id);
  if (!connection) return;
  for (MediaPort& port : connection->ports) close_port(port, closed);
}

std::unique_ptr<Connection> Connections::release(ConnectionId id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return nullptr;
  auto connection = std::move(found->second);
  connections_.erase(found);
  unsubscribe(*connection);
  forget_changed(*connection);
  for (MediaPort& port : connection->ports) {
    for (Link& link : port.links) link.port = nullptr;
  }
  link_subscribers(id);
  return connection;
}

Connection& Connections::adopt(std::unique_ptr<Connection> adopted) {
  Connection& connection = *adopted;
  MR_CHECK(find(connection.id) == nullptr);
  connections_[connection.id] = std::move(adopted);
  make_room();
  for (MediaPort& port : connection.ports) {
    if (std::exchange(port.dirty, false)) mark_changed(port);
  }
  subscribe(connection);
  link(connection);
  link_subscribers(connection.id);
  return connection;
}

void Connections::mark_changed(MediaPort& port) {
  if (std::exchange(port.dirty, true)) return;
  changed_.push_back(&port);
}

void Connections::changed_was_told() {
  changed_.back()->dirty = false;
  changed_.back()->told = true;
  changed_.pop_back();
}

// Leaves MediaPort::dirty as it is: a connection that is handed over takes the duty along.
void Connections::forget_changed(const Connection& connection) {
  std::erase_if(changed_, [&](const MediaPort* port) { return port->connection == &connection; });
}

void Connections::link(Connection& connection) {
  for (MediaPort& port : connection.ports) {
    for (Link& link : port.links) {
      const ConnectionId id = link.egress.connection;
      Connection* other = id == connection.id ? &connection : find(id);
      link.port = other != nullptr && other->port(link.egress.slot).open ? &other->port(link.egress.slot) : nullptr;
    }
  }
}

void Connections::link_subscribers(ConnectionId id) {
  const auto found = subscribers_.find(id);
  if (found == subscribers_.end()) return;
  for (const ConnectionId subscriber : found->second) {
    if (Connection* connection = find(subscriber)) link(*connection);
  }
}

void Connections::subscribe(const Connection& connection) {
  for (const MediaPort& port : connection.ports) {
    for (const Link& link : port.links) {
      if (link.egress.connection == connection.id) continue;
      auto& list = subscribers_[link.egress.connection];
      if (std::ranges::find(list, connection.id) == list.end()) list.push_back(connection.id);
    }
  }
}

void Connections::unsubscribe(const Connection& connection) {
  for (const MediaPort& port : connection.ports) {
    for (const Link& link : port.links) {
      const auto found = subscribers_.find(link.egress.connection);
      if (found == subscribers_.end()) continue;
      std::erase(found->second, connection.id);
      if (found->second.empty()) subscribers_.erase(found);
    }
  }
}

}  // namespace millrace::dataplane
