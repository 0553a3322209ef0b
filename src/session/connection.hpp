#pragma once
// What joins one media stream of two legs: the text protocol's session. Owns the time-outs, what keeps it alive, whom
// to notify, and how media is forwarded. Plain data with the few questions that everybody asks of it.

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/strong.hpp"
#include "base/time.hpp"
#include "session/command.hpp"
#include "session/leg.hpp"
#include "session/matching.hpp"
#include "session/reply.hpp"
#include "session/side.hpp"
#include "session/timers.hpp"
#include "session/view.hpp"

namespace millrace::session {

class Call;
struct Connection;

// What `into` gets of this connection: everything, with the offerers on the same side or crosswise.
struct ForkTo {
  Connection* into = nullptr;
  bool crosswise = false;
};

// What only a connection that a Create made has.
struct SessionPart {
  Labels labels;
  std::string owner;
  std::string note;                    // for whoever made it
  flow::StreamOptions stream;
  flow::RateLimit limit;               // 0: as configured
  std::chrono::seconds stats_interval{0};
  TimePoint stats_due;                 // when there is an interval
  std::string error;                   // of State::failed
  net::Endpoint connected_from;        // what the destination of a stream sees, while it is connected
};

struct Connection {
  Connection(ConnectionId its_id, Call& its_call, const Settings& settings, Now now)
      : id{its_id}, call{&its_call}, created{now}, timers{settings} {}

  ConnectionId id;
  Call* call;
  std::array<MediaStream*, 2> streams{};  // by Side; never null once connected
  Now created;
  std::optional<TimePoint> completed;     // when both legs had ports
  Timers timers;
  std::unique_ptr<Notify> notify;
  std::vector<ForkTo> forks;              // who gets a copy of what arrives here
  Connection* fed_by = nullptr;           // whose media leaves from here
  bool listens_only = false;              // was forked into: what its own parties send is dropped
  bool strong = false;
  bool touched = false;                   // its plan goes out at the next flush
  bool installed = false;                 // its plan went out before
  State state = State::connecting;        // as it was announced
  std::unique_ptr<SessionPart> session;   // null: signalling made it

  [[nodiscard]] MediaStream& stream(Side side) { return *streams[index_of(side)]; }
  [[nodiscard]] const MediaStream& stream(Side side) const { return *streams[index_of(side)]; }
  [[nodiscard]] MediaTag offerer_tag() const;
  [[nodiscard]] bool complete() const;       // both legs have ports
  [[nodiscard]] bool held() const;
  [[nodiscard]] bool has_streams() const;    // a side is one
  [[nodiscard]] bool heard() const;          // a packet of either side was accepted
  [[nodiscard]] bool referenced() const;     // something keeps it alive: the strong flag or a weak one
  [[nodiscard]] Activity activity() const;   // since the last sweep
  [[nodiscard]] Activity note_activity();    // the same, and the next sweep counts from here
  [[nodiscard]] ConnectionCounters counters(Side party) const;
};

// What a command says of the party `side`: address or hold, symmetry, codecs, packet time, TTL. Restarts the timers.
void apply(Connection& connection, Side side, const PartySide& party, const Settings& settings);

}  // namespace millrace::session
