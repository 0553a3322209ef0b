#pragma once
// What doctor.hpp has to know of the host, as plain values.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/endpoint.hpp"

namespace millrace::control::admin {

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
