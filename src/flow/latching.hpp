#pragma once
// Where a packet's source is trusted. One Latch per local port decides, for each arrival, whether its source may
// speak for the peer and where packets to the peer go. Two policies, one implementation: `safe` (learn at once, prefer
// what was signalled, then lock) and `reference` (as the reference rtpproxy does). Sans-I/O: takes the source, what the
// packet says of itself, and the time. Nothing allocates. One latch is used by one thread.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/static_vector.hpp"
#include "base/strong.hpp"
#include "base/time.hpp"
#include "flow/history.hpp"
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
  bool rtcp = false;  // an RTCP port: no SSRC to hold on to
  std::chrono::milliseconds window{1000};  // safe: how long a better source may take over
  std::chrono::milliseconds relatch_after{200};  // safe: silence before the same SSRC may move
  friend bool operator==(const LatchRules&, const LatchRules&) = default;
};

// What is known of a remote; a plain value, also what events carry to control.
struct RemoteState {
  net::Endpoint signalled;  // not set: unknown
  net::Endpoint destination;  // where packets to the peer go; not set: unknown
  bool learned = false;  // destination was taken from a packet ("untrusted" in the reference)
  bool locked = false;  // settled: only the exceptions of the policy move it
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
  accept,  // relay it
  accept_learned,  // relay it; the remote state changed, tell control
  ignore,  // Drop::wrong_source
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
  [[nodiscard]] const LatchRules& rules() const { return rules_; }

 private:
  // Shared.
  void set_destination(const net::Endpoint& destination, Cause cause, Now now);
  void remember(Cause cause, Now now);

  // latching_reference.cpp
  void signal_reference(const net::Endpoint& signalled, Now now);
  [[nodiscard]] Verdict on_arrival_reference(const Arrival& arrival, Now now);
  [[nodiscard]] Verdict on_arrival_asymmetric(const Arrival& arrival, Now now);
  [[nodiscard]] bool follow_rtp_reference(const net::Endpoint& rtp_source, Now now);
  [[nodiscard]] std::optional<Cause> may_move_reference(const Arrival& arrival, Now now) const;
  [[nodiscard]] Verdict take_reference(const Arrival& arrival, Cause cause, Now now);
  void keep_up(const RtpIdentity& rtp, Now now);
  [[nodiscard]] bool soon_after_update(Now now) const;

  // latching_safe.cpp
  enum class Rank : std::uint8_t { stale_elsewhere, elsewhere, stale_at_signalled, at_signalled, exact };
  void reopen();
  void signal_safe(const net::Endpoint& signalled, Now now);
  [[nodiscard]] bool learns() const { return rules_.policy != LatchPolicy::strict && !rules_.asymmetric; }
  [[nodiscard]] Verdict on_arrival_safe(const Arrival& arrival, Now now);
  [[nodiscard]] Verdict hear_again(const Arrival& arrival, Now now);
  [[nodiscard]] std::optional<Cause> may_move_safe(const Arrival& arrival, Now now) const;
  [[nodiscard]] bool closed(Now now) const;
  [[nodiscard]] bool continues_stream(const Arrival& arrival) const;
  void take_safe(const Arrival& arrival, Cause cause, Now now);
  [[nodiscard]] bool follow_rtp_safe(const net::Endpoint& rtp_source, Now now);
  [[nodiscard]] Rank rank_of(const net::Endpoint& source) const;
  [[nodiscard]] bool source_is_stale() const { return heard_ && state_.destination == stale_; }

  LatchRules rules_;
  RemoteState state_;
  TimePoint heard_at_;  // `safe`: last packet of the source; `reference`: when identity_ was taken
  TimePoint window_end_;  // `safe`: better sources may take over before
  TimePoint updated_at_;  // `reference`: last signal() that found a destination
  net::Endpoint expected_;  // `safe`, RTCP: one above the RTP source; as good as signalled
  net::Endpoint stale_;  // `safe`: the source before the signalling named another address
  std::optional<RtpIdentity> identity_;  // whose stream the source sends, and how far it was
  bool updated_ = false;  // updated_at_ means something
  bool heard_ = false;  // `safe`: the destination is a source that has sent
  bool source_is_rtp_ = false;  // `safe`: and what it sent parsed as RTP
};
static_assert(sizeof(Latch) <= 372, "four in a call; memory a call is a published figure");

}  // namespace millrace::flow
