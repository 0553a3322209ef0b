#pragma once
// Why a packet was not passed on. Each is counted under its name, in the flow it arrived on; none is ever logged per
// packet.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace millrace::flow {

enum class Drop : std::uint8_t {
  not_complete,    // the other leg has not been named yet: read, thrown away, teaches nothing
  wrong_source,    // latching does not trust where it came from
  no_destination,  // nobody knows yet where the other side is
  no_egress,       // nothing subscribes to this flow
  too_long,        // more than kMaxDatagram bytes
  send_failed,     // the kernel refused the send (unreachable, no buffer)
  limit,           // packets or bits a second above what the call may use
  congested,       // the stream it should leave on takes nothing: its peer does not read
};
inline constexpr std::size_t kDropReasons = 8;

constexpr std::string_view name_of(Drop reason) {
  switch (reason) {
    case Drop::not_complete: return "not_complete";
    case Drop::wrong_source: return "wrong_source";
    case Drop::no_destination: return "no_destination";
    case Drop::no_egress: return "no_egress";
    case Drop::too_long: return "too_long";
    case Drop::send_failed: return "send_failed";
    case Drop::limit: return "limit";
    case Drop::congested: return "congested";
  }
  return "unknown";
}

}  // namespace millrace::flow
