#pragma once
// Where a packet's source is trusted. One Latch per local port decides, for each arrival, whether its source may
// speak for the peer and where packets to the peer go. Two policies, one implementation: `safe` (DESIGN: learn at
// once, prefer what was signalled, then lock) and `reference` (as the reference rtpproxy does). Sans-I/O: takes the
// source, what the packet says of itself, and the time. Nothing allocates. One latch is used by one thread.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/static_vector.hpp"
#include "base/strong.hpp"
#include "base/time.hpp"
#include "net/endpoint.hpp"

namespace millrace::flow {

enum class LatchPolicy : std::uint8_t {
  safe,
  reference,
  strict,  // the signalled address and port alone
};

struct LatchRules {
  LatchPolicy policy = LatchPolicy::safe;
  bool asymmetric = false;  // the peer sends from elsewhere than it listens: never learn
  bool rtcp = false;        // an RTCP port: no SSRC to hold on to
  std::chrono::milliseconds window{1000};        // safe: how long a better source may take over
  std::chrono::milliseconds relatch_after{200};  // safe: silence before the same SSRC may move
  friend bool operator==(const LatchRules&, const LatchRules&) = default;
};

// Why the remote became what it is. Spelled in words when shown (describe()).
enum class Cause : std::uint8_t {
  signalled,          // told by the signalling
  first_packet,       // nothing, or nothing confirmed, was known
  signalled_source,   // the exact signalled address and port showed up
  better_source,      // ranks above the source learned before, within the window
  same_stream_moved,  // the same SSRC went on from elsewhere after silence (NAT rebinding)
  after_update,       // moved soon after a new address was signalled
  follows_rtp,        // RTCP: guessed from the RTP source, port + 1
};
std::string_view describe(Cause cause);

struct HistoryEntry {
  WallTime at;
  net::Endpoint endpoint;
  Cause cause = Cause::signalled;
};
inline constexpr std::size_t kHistoryEntries = 8;  // the oldest goes when a ninth comes
using EndpointHistory = StaticVector<HistoryEntry, kHistoryEntries>;

// What is known of a remote; a plain value, also what events carry to control.
struct RemoteState {
  net::Endpoint signalled;     // not set: unknown
  net::Endpoint destination;   // where packets to the peer go; not set: unknown
  bool learned = false;        // destination was taken from a packet ("untrusted" in the reference)
  bool locked = false;         // settled: only the exceptions of the policy move it
  EndpointHistory history;
};

struct RtpIdentity {
  Ssrc ssrc;
  Seq sequence;
};
struct Arrival {
  net::Endpoint from;
  std::optional<RtpIdentity> rtp;  // nothing: not valid RTP
};

enum class Verdict : std::uint8_t {
  accept,          // relay it
  accept_learned,  // relay it; the remote state changed, tell control
  ignore,          // Drop::wrong_source
};

class Latch {
 public:
  void set_rules(const LatchRules& rules, Now now);
  // The signalling named an address (also the same again). Not for a null address: that is hold, nothing changes.
  void signal(const net::Endpoint& signalled, Now now);
  [[nodiscard]] Verdict on_arrival(const Arrival& arrival, Now now);
  // For an RTCP latch: its RTP neighbour has learned `rtp_source`. True when that changed the RTCP destination.
  bool follow_rtp(const net::Endpoint& rtp_source, Now now);

  [[nodiscard]] const net::Endpoint& destination() const { return state_.destination; }
  [[nodiscard]] const RemoteState& state() const { return state_; }

 private:
  [[nodiscard]] Verdict on_arrival_reference(const Arrival& arrival, Now now);
  [[nodiscard]] Verdict on_arrival_safe(const Arrival& arrival, Now now);

  LatchRules rules_;
  RemoteState state_;
  // The author of latching.cpp adds what the policies remember: last update, SSRC and sequence, window, rank.
};

}  // namespace millrace::flow
