#pragma once
// A line of the text protocol → Request. Pure: looks at bytes and at what is configured, never at a session. Errors
// come in the protocol's order: words, letter, number of words, modifiers where there may be none, sub-commands, the
// rest from left to right.

#include <expected>
#include <string_view>

#include "control/frontend.hpp"
#include "control/rtpproxy/notify_targets.hpp"
#include "control/rtpproxy/request.hpp"

namespace millrace::control::rtpproxy {

// What a line means depends on this.
struct Context {
  const NotifyTargets& targets;
  const Origin& origin;  // who speaks; %%CC_SELF%% is about that
  bool bridging = false; // interfaces named "internal" and "external" are there
};

// The request's words are views into `body`.
[[nodiscard]] std::expected<Request, ErrorCode> decode(std::string_view body, const Context& context);

}  // namespace millrace::control::rtpproxy
