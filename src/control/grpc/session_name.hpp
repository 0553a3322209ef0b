#pragma once
// Ids of sessions: what may be one, a new one, and the two halves of CALLID/FROMTAG. Pure but for the random numbers.

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "control/grpc/problem.hpp"

namespace millrace::control::grpc {

inline constexpr std::size_t kMaxSessionId = 255;  // bytes, of a session that this API makes
inline constexpr std::size_t kMaxRequestId = 255;  // bytes

// A new session's; not empty.
[[nodiscard]] std::expected<void, Problem> check_new_session_id(std::string_view id);
// One that is asked for: a session's, or CALLID/FROMTAG, which may be longer.
[[nodiscard]] std::expected<void, Problem> check_known_session_id(std::string_view id, std::string_view field);

[[nodiscard]] std::string new_session_id();  // a UUID, version 4

// At the last slash: a call-id may have slashes of its own.
struct CallAndTag {
  std::string_view call_id, tag;
};
[[nodiscard]] std::optional<CallAndTag> split_call_and_tag(std::string_view id);

// C0, DEL, and C1 as UTF-8: they would drive a terminal that shows them.
[[nodiscard]] bool has_control_characters(std::string_view text);

}  // namespace millrace::control::grpc
