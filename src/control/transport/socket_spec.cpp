#include "control/transport/socket_spec.hpp"

#include <sys/un.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/parse.hpp"

namespace millrace::control::transport {
namespace {

struct Prefix {
  std::string_view text;
  Kind kind;
};
constexpr std::array kPrefixes{
    Prefix{"udp:", Kind::udp},          Prefix{"udp6:", Kind::udp6},     Prefix{"unix:", Kind::unix_once},
    Prefix{"cunix:", Kind::unix_lines}, Prefix{"tcp:", Kind::tcp},       Prefix{"tcp6:", Kind::tcp6},
    Prefix{"stdio:", Kind::stdio},      Prefix{"stdioc:", Kind::stdioc}, Prefix{"systemd:", Kind::systemd},
};

std::expected<SocketSpec, std::string> with_path(Kind kind, std::string_view path) {
  if (path.empty()) return std::unexpected{std::string{"the path of a Unix control socket is missing"}};
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return std::unexpected{
        fmt::format("{}: a Unix socket's path may have {} bytes at most", path, sizeof(sockaddr_un::sun_path) - 1)};
  }
  return SocketSpec{.kind = kind, .where = std::string{path}, .port = Port{}};
}

// The last colon splits, as in the reference: "udp6:::1:5000" is ::1 and 5000, so an IPv6 address needs its port.
std::expected<SocketSpec, std::string> with_host(Kind kind, std::string_view rest) {
  SocketSpec spec{.kind = kind, .where = std::string{rest}, .port = Port{kDefaultPort}};
  if (const auto colon = rest.rfind(':'); colon != std::string_view::npos) {
    const auto port = parse_number<std::uint16_t>(rest.substr(colon + 1));
    if (!port) {
      return std::unexpected{fmt::format("{}: '{}' is no port (0 to 65535)", rest, rest.substr(colon + 1))};
    }
    spec.where = rest.substr(0, colon);
    spec.port = Port{*port};
  }
  if (spec.where.size() >= 2 && spec.where.front() == '[' && spec.where.back() == ']') {
    spec.where = spec.where.substr(1, spec.where.size() - 2);
  }
  if (spec.where.empty()) return std::unexpected{fmt::format("'{}': the host of a control socket is missing", rest)};
  return spec;
}

}  // namespace

std::expected<SocketSpec, std::string> parse_socket_spec(std::string_view text) {
  const auto prefix = std::ranges::find_if(kPrefixes, [text](const Prefix& p) { return text.starts_with(p.text); });
  if (prefix == kPrefixes.end()) return with_path(Kind::unix_once, text);
  const auto rest = text.substr(prefix->text.size());
  switch (prefix->kind) {
    case Kind::unix_once:
    case Kind::unix_lines: return with_path(prefix->kind, rest);
    case Kind::stdio:
    case Kind::stdioc:
    case Kind::systemd: return SocketSpec{.kind = prefix->kind, .where = {}, .port = Port{}};
    default: return with_host(prefix->kind, rest);
  }
}

std::string SocketSpec::to_string() const {
  const auto prefix = std::ranges::find(kPrefixes, kind, &Prefix::kind);
  if (is_unix(kind)) return std::string{prefix->text} + where;
  if (is_stdio(kind) || kind == Kind::systemd) return std::string{prefix->text};
  const bool colons = where.find(':') != std::string::npos;
  return fmt::format("{}{}{}{}:{}", prefix->text, colons ? "[" : "", where, colons ? "]" : "", port.value());
}

}  // namespace millrace::control::transport
