#pragma once
// Who may be told of time-outs: the targets that the operator allows, and the words by which a command asks for one.
//
//   unix:PATH, PATH          a local stream socket
//   tcp:HOST:PORT            a name is resolved when the connection is made
//   tcp:%%CC_SELF%%:PORT     that port of whoever sent the command

#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/frontend.hpp"
#include "session/command.hpp"

namespace millrace::control::rtpproxy {

inline constexpr std::size_t kMaxTargets = 64;         // fixed ones
inline constexpr std::size_t kMaxWildcardTargets = 2;  // with %%CC_SELF%%

class NotifyTargets {
 public:
  // The error is a sentence for the operator.
  [[nodiscard]] static std::expected<NotifyTargets, std::string> parse(std::span<const std::string> texts);

  [[nodiscard]] bool enabled() const { return !targets_.empty(); }
  // The target as session::Notify carries it and the notifier reads it: "unix:PATH", "tcp:HOST:PORT" or
  // "tcp:ADDRESS:PORT from ADDRESS". Nothing when `asked` is not, to the letter, one of the allowed ones.
  [[nodiscard]] std::optional<std::string> resolve(std::string_view asked, const Origin& origin) const;
  // Kamailio writes `SOCKET;TAG` as one word when there is no to-tag yet. Nothing when it is not that.
  [[nodiscard]] std::optional<session::Notify> resolve_joined(std::string_view word, const Origin& origin) const;

 private:
  struct Target {
    std::string text;      // without `unix:`, as commands are compared
    std::string wildcard_port;  // of a %%CC_SELF%% target, else empty
  };
  std::vector<Target> targets_;
};

// `%HH` and `+`; nothing when a `%` is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> url_decode(std::string_view text);

}  // namespace millrace::control::rtpproxy
