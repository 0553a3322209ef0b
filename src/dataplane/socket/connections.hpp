#pragma once
// The connections of one worker: what installing, removing and handing over a connection does to its ports, and
// which port feeds which. Plans may arrive in any order: a link whose other end is not here leads nowhere until it
// is. One thread; none of this is on the packet path but mark_changed(), which never allocates.

#include <absl/container/flat_hash_map.h>

#include <array>
#include <memory>
#include <vector>

#include "base/static_vector.hpp"
#include "base/time.hpp"
#include "dataplane/socket/port.hpp"
#include "flow/plan.hpp"

namespace millrace::dataplane {

using Sockets = std::array<net::UniqueFd, flow::kSlots>;

// What an install or a remove took out of use: first the sockets are closed, then the pairs are told to control.
struct Closed {
  Sockets sockets;
  StaticVector<net::Endpoint, flow::kSlots / 2> pairs;  // local RTP endpoints, one per RTP/RTCP pair
};

class Connections {
 public:
  // A known id gets the new plan and keeps its learned remotes and what was received. `sockets`: of ports that are
  // new or renewed, -1 elsewhere.
  Connection& install(const flow::FlowPlan& plan, Sockets sockets, Now now, Closed& closed);
  // Unknown ids are ignored.
  void remove(ConnectionId id, Closed& closed);
  // For a connection that changes workers: out of this table, and into another's. Nothing when it is not here.
  [[nodiscard]] std::unique_ptr<Connection> release(ConnectionId id);
  Connection& adopt(std::unique_ptr<Connection> connection);

  [[nodiscard]] Connection* find(ConnectionId id) const;
  // Does the plan ask for another socket than the open port has?
  [[nodiscard]] static bool is_renewed(const MediaPort& port, const flow::PortPlan& plan, const net::UniqueFd& socket);
  [[nodiscard]] std::size_t size() const { return connections_.size(); }
  template <class Function>
  void for_each(Function function) {
    for (auto& [id, connection] : connections_) function(*connection);
  }

  // Ports whose remote changed and control has not been told; each is listed once, however often it changes.
  void mark_changed(MediaPort& port);
  [[nodiscard]] MediaPort* changed() const { return changed_.empty() ? nullptr : changed_.back(); }
  void changed_was_told();  // about changed()

 private:
  void update_port(MediaPort& port, const flow::PortPlan& plan, net::UniqueFd socket, Now now, Closed& closed);
  void set_limit(Connection& connection, const flow::RateLimit& limit, TimePoint now);
  void close_port(MediaPort& port, Closed& closed);
  void make_room();
  void forget_changed(const Connection& connection);
  void link(Connection& connection);
  void link_subscribers(ConnectionId id);
  void subscribe(const Connection& connection);
  void unsubscribe(const Connection& connection);

  absl::flat_hash_map<ConnectionId, std::unique_ptr<Connection>, StrongHash> connections_;
  // Who sends through a port of the key, whether that one is here or not. Only between connections (forks); within
  // one there is nothing to remember.
  absl::flat_hash_map<ConnectionId, std::vector<ConnectionId>, StrongHash> subscribers_;
  std::vector<MediaPort*> changed_;  // never longer than there are ports: room is made when they come
};

}  // namespace millrace::dataplane
