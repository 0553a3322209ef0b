#pragma once
// Carries decisions to the forwarding half: remembers which connections commands touched, hands out their plans (with
// the sockets of new ports) once per batch, removes what ended, and takes counter blocks back when nobody writes to
// them any more. Control thread only.

#include <array>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/strong.hpp"
#include "flow/plan.hpp"
#include "session/connection.hpp"
#include "session/settings.hpp"

namespace millrace::session {

class Installer {
 public:
  Installer(const Settings& settings, flow::Forwarder& forwarder, flow::CounterArena& counters)
      : settings_{settings}, forwarder_{forwarder}, counters_{counters} {}

  [[nodiscard]] bool accepts_new() const { return forwarder_.accepts_new(); }
  // Its plan goes out at the next flush.
  void touch(Connection& connection);
  // Counter blocks for the ports that a stream has got; it keeps those it has.
  void give_counters(MediaStream& stream);
  // The connection is about to go away; its streams are still there.
  void remove(Connection& connection);
  // Plans first, then removes: a fork's source stops sending from a leg before the leg goes.
  void flush();
  void on_removed(ConnectionId id);

 private:
  using Blocks = std::array<flow::CounterBlock*, flow::kSlots>;  // null where a port never was
  void install(Connection& connection);
  void give_back(const Blocks& blocks);

  const Settings& settings_;
  flow::Forwarder& forwarder_;
  flow::CounterArena& counters_;
  std::vector<Connection*> touched_;
  std::vector<ConnectionId> removed_;
  absl::flat_hash_map<ConnectionId, Blocks, StrongHash> going_;  // until the worker says that it is gone
};

}  // namespace millrace::session
