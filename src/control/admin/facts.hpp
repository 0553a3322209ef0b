#pragma once
// What the daemon knows of itself and of its host, as plain values: `mrctl status` shows them, doctor.hpp judges them.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "net/port_pool.hpp"

namespace millrace::control::admin {

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
  std::string latching_policy;
  EngineFacts engine;
  std::uint64_t log_lines_dropped = 0;
  std::uint64_t receive_buffer = 0;  // bytes asked for each media socket; 0: the system's
};

struct HostFacts {
  std::pair<std::uint16_t, std::uint16_t> ephemeral_ports{32768, 60999};  // ip_local_port_range
  std::string reserved_ports;                   // ip_local_reserved_ports, as the kernel lists them
  std::uint64_t open_files_limit = 0;           // of the daemon
  std::uint64_t receive_buffer_max = 0;         // net.core.rmem_max
  std::uint64_t udp_receive_buffer_errors = 0;  // RcvbufErrors since boot
  std::vector<net::Endpoint> udp_sockets;       // bound by anybody on the host
  std::vector<net::Address> addresses;          // of the host
  std::optional<net::Address> default_route;    // the address packets to the world leave from
};

// Reads /proc. `pid`: whose limits; what cannot be read keeps its default.
HostFacts read_host_facts(int pid);

}  // namespace millrace::control::admin
