#pragma once
// What the daemon knows of itself, as plain values: front ends show them, `mrctl doctor` judges them.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "net/port_pool.hpp"

namespace millrace::control {

struct WorkerFacts {
  std::size_t connections = 0;
  std::uint64_t packets = 0;
};

struct EngineFacts {
  std::string name;
  std::vector<WorkerFacts> workers;
  std::uint64_t sockets_failed = 0;  // that a worker could not watch, or not mark with their TOS or TTL
  std::uint64_t latency_p50_ns = 0, latency_p99_ns = 0;  // inside Millrace: receive stamp to send
};

struct NodeFacts {
  std::string program;  // "millrace" or "rtpproxy"
  std::string version;
  int pid = 0;
  WallTime started;
  bool draining = false;
  std::vector<std::string> control_sockets;
  std::vector<net::Interface> interfaces;
  net::PortPoolStatistics ports;
  std::string port_failure;  // what the machine said when a port last could not be opened
  std::uint32_t max_connections = 0;  // session.max_connections; 0: as many as there are ports
  std::string latching_policy;
  EngineFacts engine;
  std::uint64_t log_lines_dropped = 0;
  std::uint64_t receive_buffer = 0;  // bytes asked for each media socket; 0: the system's
};

// What app/ lends to front ends: things that are not a call's. Control thread only.
class Node {
 public:
  virtual ~Node() = default;
  [[nodiscard]] virtual NodeFacts facts() const = 0;
  virtual void drain() = 0;
  // `call` empty: the whole log. The error is a sentence.
  virtual std::expected<void, std::string> set_log_level(std::string_view level, std::string_view call) = 0;
};

}  // namespace millrace::control
