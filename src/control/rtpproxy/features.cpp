#include "control/rtpproxy/features.hpp"

#include <algorithm>
#include <array>

namespace millrace::control::rtpproxy {
namespace {

constexpr std::string_view kNotifications = "20081224";

// Missing on purpose, because their promise does not hold: 20071116 (re-packetization), 20071218 (copying of a
// stream), 20200226 (`N`) and 20250523 (`p` of `C`).
constexpr std::array kFeatures{
    Feature{"20040107", "base protocol"},
    // Both SIP servers refuse to start without this one, so it is answered before prompts can be played; `P` says E60.
    Feature{"20050322", "several media streams per call, music on hold"},
    Feature{"20060704", "extra word behind V"},
    Feature{"20080403", "query of a session"},
    // The codec list is understood and kept. Without this one the servers send neither it nor any `P`.
    Feature{"20081102", "codec lists in U and L"},
    Feature{kNotifications, "notification of timed-out sessions"},
    Feature{"20090810", "automatic bridging by address"},
    Feature{"20140323", "load reporting"},
    Feature{"20140617", "set-up time-out apart from the idle time-out"},
    Feature{"20141004", "extensible counters"},
    Feature{"20150330", "allocation of a new port"},
    Feature{"20150420", "sequence tracking and named counters of a session"},
    Feature{"20150617", "%%CC_SELF%% in notification targets"},
    // Not in the reference's list. OpenSIPS asks for it before it sends `T<seconds>`, which is understood here.
    Feature{"20170313", "idle time-out of a single session"},
    Feature{"20191015", "sub-commands"},
    // Lost packets are counted. The same date covers an option of the DTMF module, which says E3 for itself when it is
    // not loaded, as it does in a reference without that module.
    Feature{"20230205", "lost packets"},
    Feature{"20230314", "query and delete in one command"},
    Feature{"20230424", "longest gap between packets, jitter"},
    Feature{"20251015", "change of the idle time-out or the TOS of a session"},
    Feature{"20260306", "labels of local addresses"},
    Feature{"20260308", "both legs in one command"},
    Feature{"20260309", "fork of another session into this one"},
};

}  // namespace

std::span<const Feature> features() { return kFeatures; }

bool has_feature(std::string_view date, bool notifications) {
  if (date == kNotifications) return notifications;
  return std::ranges::any_of(kFeatures, [&](const Feature& feature) { return feature.date == date; });
}

}  // namespace millrace::control::rtpproxy
