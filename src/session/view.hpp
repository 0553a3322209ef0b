#pragma once
// A connection as a plain value, self-contained: what leaves the control thread when somebody asks about it. Other
// threads may keep and read it.

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/strong.hpp"
#include "base/time.hpp"
#include "flow/counters.hpp"
#include "flow/plan.hpp"
#include "net/endpoint.hpp"
#include "session/side.hpp"

namespace millrace::session {

enum class State : std::uint8_t {
  connecting,  // no packet has come yet (a stream: no client, or not through to the destination)
  active,
  failed,      // a stream could not reach its destination; the next client may
  closed,      // only in the View of its end
};

struct SideView {
  std::string name;           // the leg's tag, with its media number
  net::Endpoint local;        // not set: no port yet
  bool rtcp = false;          // there is an RTCP port, local + 1
  net::Endpoint signalled;    // where the signalling, or the destination of a Create, says that it is
  net::Endpoint remote;       // where packets to it go, as far as control has heard; a stream's peer
  flow::Transport transport = flow::Transport::datagram;
  flow::FlowCounters rtp_counters, rtcp_counters;  // "in" is from this side's peer, "out" is to it
};

struct View {
  ConnectionId id;
  std::string call_id;
  bool session = false;       // made by a Create
  State state = State::connecting;
  std::string error;          // of failed, and of closed when it ended so
  WallTime created;
  std::optional<WallTime> last_activity;   // the last accepted packet of either side
  std::array<SideView, 2> sides;           // by Side
  std::optional<std::chrono::seconds> idle_timeout;  // nothing: none
  std::chrono::seconds stats_interval{0};
  flow::RateLimit limit;
  std::map<std::string, std::string> labels;
  std::string owner;
  std::string note;  // what whoever made it should know: "runs without RTCP: bind …: Address already in use"

  [[nodiscard]] const SideView& side(Side which) const { return sides[index_of(which)]; }
};

}  // namespace millrace::session
