#pragma once
// The numbers that `Q`, `I` and `G` show, by their names in the protocol. Integers are decimal, the rest has six
// decimals. All append to `out`; on an error `out` is as before.

#include <cstdint>
#include <expected>
#include <string>

#include "control/rtpproxy/request.hpp"
#include "session/calls.hpp"
#include "session/reply.hpp"

namespace millrace::control::rtpproxy {

// Commands of this front end. The one that asks is in `received` and not yet in the others.
struct CommandCounters {
  std::uint64_t received = 0;
  std::uint64_t repeated = 0;   // a cookie that was answered already
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;     // `E` replies, and an `L` that found nothing
  std::uint64_t replied = 0;
};

// `Q`: without names the five old ones.
[[nodiscard]] std::expected<void, ErrorCode> encode_query(const session::ConnectionCounters& counters,
                                                          const Request& request, std::string& out);
// `G`
[[nodiscard]] std::expected<void, ErrorCode> encode_statistics(const session::Totals& totals,
                                                               const CommandCounters& commands, const Request& request,
                                                               std::string& out);
// `I`: five lines, a sixth with the load; the last line end is left to the caller.
void encode_info(const session::Totals& totals, bool load, std::string& out);

}  // namespace millrace::control::rtpproxy
