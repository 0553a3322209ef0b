#pragma once
// Why a request is not answered with what it asks for: gRPC's codes, and a sentence for whoever reads it. Pure.

#include <cstdint>
#include <string>
#include <string_view>

#include "access/access.hpp"
#include "events/hub.hpp"
#include "session/reply.hpp"

namespace millrace::control::grpc {

// google.rpc.Code, those that we use.
enum class Code : std::uint8_t {
  ok = 0,
  cancelled = 1,
  invalid_argument = 3,
  deadline_exceeded = 4,
  not_found = 5,
  already_exists = 6,
  permission_denied = 7,
  resource_exhausted = 8,
  failed_precondition = 9,
  out_of_range = 11,
  internal = 13,
  unavailable = 14,
  unauthenticated = 16,
};
std::string_view name_of(Code code);  // "NOT_FOUND"

struct Problem {
  Code code = Code::internal;
  std::string text;
};

[[nodiscard]] Problem invalid(std::string text);

// `session` is the id that the request named.
[[nodiscard]] Problem problem_of(session::Error error, std::string_view session);
[[nodiscard]] Problem problem_of(const session::PortRefused& refused);
[[nodiscard]] Problem problem_of(const access::Refused& refused);
[[nodiscard]] Problem problem_of(std::string_view field, const access::Refused& refused);
[[nodiscard]] Problem problem_of(events::SubscribeError error);

// A peer's text inside a sentence of ours: in quotes, without control characters, cut when it is long.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace millrace::control::grpc
