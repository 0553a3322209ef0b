#pragma once
// Gathers what the node knows of itself from those who know it. Control thread.

#include <string_view>

#include "control/node.hpp"
#include "dataplane/socket/socket_engine.hpp"
#include "net/port_pool.hpp"

namespace millrace::app {

[[nodiscard]] std::uint64_t sockets_failed(const dataplane::SocketEngine& engine);
[[nodiscard]] control::EngineFacts facts_of(const dataplane::SocketEngine& engine);
// The pool's part of the node's facts.
void add_ports(control::NodeFacts& facts, const net::PortPool& ports);

}  // namespace millrace::app
