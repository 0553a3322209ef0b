#pragma once
// What travels between the control thread and a worker: values, through rings.

#include <memory>
#include <variant>

#include "dataplane/socket/port.hpp"
#include "flow/plan.hpp"

namespace millrace::dataplane {

// Control → worker.
struct Remove {
  ConnectionId connection;
};
struct Release {   // hand the connection back: it goes to another worker
  ConnectionId connection;
};
struct Adopt {     // what another worker released, sockets and learned state included
  std::unique_ptr<Connection> connection;
};
using WorkerCommand = std::variant<std::monostate, flow::Installation, Remove, Release, Adopt>;

// Worker → control.
struct Released {
  ConnectionId id;
  std::unique_ptr<Connection> connection;  // nothing: the worker never had it
};
using WorkerEvent =
    std::variant<std::monostate, flow::RemoteChanged, flow::StreamChanged, flow::PortClosed, flow::Removed, Released>;

// A full ring keeps the rest at its pusher until the next turn; nothing is lost.
inline constexpr std::size_t kInboxSize = 1024;
inline constexpr std::size_t kOutboxSize = 1024;

}  // namespace millrace::dataplane
