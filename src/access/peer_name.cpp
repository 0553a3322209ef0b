#include "access/peer_name.hpp"

namespace millrace::access {

PeerName peer_name(const net::Endpoint& peer, std::uint32_t user_id) {
  if (peer.is_set()) return {.identity = peer.address.to_string(), .peer = peer.to_string()};
  const auto user = std::to_string(user_id);
  return {.identity = "uid:" + user, .peer = "unix:" + user};
}

}  // namespace millrace::access
