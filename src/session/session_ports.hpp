#pragma once
// The ports of a session: named ones or chosen ones, both sides or none. Named ports come first, then the RTCP ports
// above them, so that neighbours that were both named are both had. Where one side cannot have RTCP the other, if it
// is datagrams too, does without: a report that goes one way only is worse than none.

#include <expected>
#include <string>

#include "base/time.hpp"
#include "net/port_pool.hpp"
#include "session/command.hpp"
#include "session/leg.hpp"
#include "session/reply.hpp"

namespace millrace::session {

struct SidePorts {
  net::Endpoint local;
  Place place;
  flow::Transport transport = flow::Transport::datagram;
  bool rtcp = false;
  net::UniqueFd rtp_socket, rtcp_socket;
};
struct SessionPorts {
  SidePorts caller, callee;
  std::string note;  // why there is no RTCP where there could be; else empty
};

struct SideRequest {
  const SideWanted& wanted;
  Place place;
};
[[nodiscard]] std::expected<SessionPorts, PortRefused> take_session_ports(net::PortPool& pool,
                                                                          const SideRequest& caller,
                                                                          const SideRequest& callee, TimePoint now);

}  // namespace millrace::session
