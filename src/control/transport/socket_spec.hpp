#pragma once
// The text that names a control socket, as rtpproxy's -s takes it: "udp:HOST[:PORT]", "udp6:", "unix:PATH" or a bare
// path, "cunix:PATH", "tcp:HOST[:PORT]", "tcp6:", "stdio:", "stdioc:", "systemd:". The last colon splits host and
// port, so "udp6:::1:5000" is ::1, port 5000; host "*" is any address.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/strong.hpp"

namespace millrace::control::transport {

inline constexpr std::uint16_t kDefaultPort = 22222;  // when a spec names none

enum class Kind : std::uint8_t {
  udp,
  udp6,
  unix_once,   // "unix": one command a connection, closed after the reply
  unix_lines,  // "cunix": newline-ended commands, kept open
  tcp,
  tcp6,
  stdio,
  stdioc,      // like stdio; its end always starts the slow shutdown
  systemd,     // descriptor 3 of systemd's socket activation, like cunix
};

struct SocketSpec {
  Kind kind = Kind::udp;
  std::string where;  // host for udp and tcp, path for unix
  Port port{kDefaultPort};

  [[nodiscard]] std::string to_string() const;
};

// The error is a sentence for the operator.
std::expected<SocketSpec, std::string> parse_socket_spec(std::string_view text);

constexpr bool is_datagram(Kind kind) { return kind == Kind::udp || kind == Kind::udp6; }
constexpr bool is_ipv6(Kind kind) { return kind == Kind::udp6 || kind == Kind::tcp6; }
constexpr bool is_unix(Kind kind) { return kind == Kind::unix_once || kind == Kind::unix_lines; }
constexpr bool is_stdio(Kind kind) { return kind == Kind::stdio || kind == Kind::stdioc; }

}  // namespace millrace::control::transport
