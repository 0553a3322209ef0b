#pragma once
// What somebody who shows no identity is called, in limits and in the audit log: by address, or by the user behind a
// local socket.

#include <cstdint>
#include <string>

#include "net/endpoint.hpp"

namespace millrace::access {

struct PeerName {
  std::string identity;  // "192.0.2.7", "uid:1000"
  std::string peer;      // "192.0.2.7:50312", "unix:1000"
};

// `peer` not set: a local socket of that user.
PeerName peer_name(const net::Endpoint& peer, std::uint32_t user_id);

}  // namespace millrace::access
