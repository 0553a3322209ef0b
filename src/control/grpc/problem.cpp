#include "control/grpc/problem.hpp"

#include <fmt/format.h>

#include <utility>

#include "observe/log_line.hpp"

namespace millrace::control::grpc {

namespace {
constexpr std::size_t kMaxQuoted = 80;  // bytes
}

std::string_view name_of(Code code) {
  switch (code) {
    case Code::ok: return "OK";
    case Code::cancelled: return "CANCELLED";
    case Code::invalid_argument: return "INVALID_ARGUMENT";
    case Code::deadline_exceeded: return "DEADLINE_EXCEEDED";
    case Code::not_found: return "NOT_FOUND";
    case Code::already_exists: return "ALREADY_EXISTS";
    case Code::permission_denied: return "PERMISSION_DENIED";
    case Code::resource_exhausted: return "RESOURCE_EXHAUSTED";
    case Code::failed_precondition: return "FAILED_PRECONDITION";
    case Code::out_of_range: return "OUT_OF_RANGE";
    case Code::internal: return "INTERNAL";
    case Code::unavailable: return "UNAVAILABLE";
    case Code::unauthenticated: return "UNAUTHENTICATED";
  }
  return "UNKNOWN";
}

Problem invalid(std::string text) { return {Code::invalid_argument, std::move(text)}; }

std::string quoted(std::string_view text) { return fmt::format("\"{}\"", observe::escaped(text, kMaxQuoted)); }

Problem problem_of(session::Error error, std::string_view session) {
  using enum session::Error;
  switch (error) {
    case not_found: return {Code::not_found, fmt::format("no session {}", quoted(session))};
    case in_use: return {Code::already_exists, fmt::format("session_id: {} is in use", quoted(session))};
    case no_such_address:
    case no_route:
    case no_address_of_family: return {Code::failed_precondition, std::string{describe(error)}};
    case no_port_for_new:
    case no_port_for_leg:
    case busy:
    case limit_reached:
    case owner_limit_reached: return {Code::resource_exhausted, std::string{describe(error)}};
    case draining: return {Code::unavailable, std::string{describe(error)}};
    case not_supported:
    case no_codecs: break;  // of commands that no request is translated into
  }
  return {Code::internal, std::string{describe(error)}};
}

Problem problem_of(const session::PortRefused& refused) {
  const auto* field = refused.callee_side ? "forward_endpoint" : "listen_endpoint";
  // Nothing is wrong with what was asked for: every port of the range has an owner.
  const bool none_left = refused.error == session::Error::no_port_for_new && refused.local.port == Port{};
  const auto code = none_left ? Code::resource_exhausted : Code::failed_precondition;
  std::string reason = refused.reason.empty() ? std::string{describe(refused.error)} : refused.reason;
  return {code, fmt::format("{} {}: {}", field, refused.local.to_string(), reason)};
}

Problem problem_of(const access::Refused& refused) {
  switch (refused.why) {
    case access::Refusal::unauthenticated: return {Code::unauthenticated, refused.text};
    case access::Refusal::too_many_commands: return {Code::resource_exhausted, refused.text};
    case access::Refusal::wrong_role:
    case access::Refusal::peer_not_allowed:
    case access::Refusal::destination_not_allowed:
    case access::Refusal::listen_not_allowed: break;
  }
  return {Code::permission_denied, refused.text};
}

Problem problem_of(std::string_view field, const access::Refused& refused) {
  auto problem = problem_of(refused);
  problem.text = fmt::format("{}: {}", field, problem.text);
  return problem;
}

Problem problem_of(events::SubscribeError error) {
  switch (error) {
    case events::SubscribeError::other_instance:
      return {Code::failed_precondition,
              "instance_id: that process has ended, its sequence numbers mean nothing here; list the sessions and "
              "stream without resume_after"};
    case events::SubscribeError::too_old:
      return {Code::out_of_range,
              "resume_after: the history does not reach back that far; list the sessions and stream without it"};
    case events::SubscribeError::not_yet:
      return {Code::out_of_range, "resume_after: this number has not been given out yet"};
    case events::SubscribeError::too_many: return {Code::resource_exhausted, "too many event streams are open"};
    case events::SubscribeError::closing: break;
  }
  return {Code::unavailable, "the server is ending"};
}

}  // namespace millrace::control::grpc
