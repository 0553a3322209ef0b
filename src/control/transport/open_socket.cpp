#include "control/transport/open_socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "net/resolve.hpp"

namespace millrace::control::transport {
namespace {

constexpr int kUnixBacklog = 32;
constexpr int kTcpBacklog = 128;
// Bursts of commands wait here while a batch is being run. The reference asks for 16 KiB.
constexpr int kReceiveBuffer = 1 << 20;
constexpr int kSystemdDescriptor = 3;  // SD_LISTEN_FDS_START

void set_flag(int socket, int level, int option, int value = 1) {
  // A refused tuning option costs speed, never function.
  (void)::setsockopt(socket, level, option, &value, sizeof value);
}

std::expected<net::UniqueFd, SysError> open_inet(const SocketSpec& spec, const ListenOptions& options) {
  const auto local = endpoint_of(spec, options.resolve_names);
  if (!local) return std::unexpected{local.error()};
  const bool datagram = is_datagram(spec.kind);
  const int family = local->address.is_ipv6() ? AF_INET6 : AF_INET;
  net::UniqueFd socket{::socket(family, (datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket) return std::unexpected{sys_error("open a control socket for " + spec.to_string())};
  if (family == AF_INET6) set_flag(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY);
  if (datagram) {
    set_flag(socket.get(), SOL_SOCKET, SO_RCVBUF, kReceiveBuffer);
    if (local->address.is_any()) {
      set_flag(socket.get(), family == AF_INET6 ? static_cast<int>(IPPROTO_IPV6) : static_cast<int>(IPPROTO_IP),
               family == AF_INET6 ? IPV6_RECVPKTINFO : IP_PKTINFO);
    }
  } else {
    set_flag(socket.get(), SOL_SOCKET, SO_REUSEADDR);
  }
  sockaddr_storage address{};
  const auto length = local->to_sockaddr(address);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      (!datagram && ::listen(socket.get(), kTcpBacklog) != 0)) {
    return std::unexpected{sys_error("listen on " + spec.to_string())};
  }
  return socket;
}

// Only a process that listens takes a connection, or has no room for one more just now.
bool somebody_listens(const sockaddr_un& address) {
  const net::UniqueFd probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN;
}

std::expected<net::UniqueFd, SysError> open_unix(const SocketSpec& spec, const ListenOptions& options) {
  const char* path = spec.where.c_str();
  net::UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket) return std::unexpected{sys_error("open a control socket for " + spec.to_string())};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(static_cast<char*>(address.sun_path), path, spec.where.size() + 1);
  struct stat existing{};
  if (::lstat(path, &existing) == 0) {
    // A left-over socket is replaced; somebody's file by a wrong path is not.
    if (!S_ISSOCK(existing.st_mode)) {
      return std::unexpected{
          SysError{.code = EEXIST, .operation = "listen on " + spec.to_string() + " (not a socket)"}};
    }
    if (!options.unix_take_over && somebody_listens(address)) {
      return std::unexpected{SysError{.code = EADDRINUSE, .operation = "listen on " + spec.to_string()}};
    }
    (void)::unlink(path);
  }
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), kUnixBacklog) != 0) {
    return std::unexpected{sys_error("listen on " + spec.to_string())};
  }
  if (::chown(path, options.unix_owner, options.unix_group) != 0) {
    return std::unexpected{sys_error("change the owner of " + spec.where)};
  }
  if (options.unix_mode && ::chmod(path, *options.unix_mode) != 0) {
    return std::unexpected{sys_error("change the mode of " + spec.where)};
  }
  return socket;
}

std::expected<net::UniqueFd, SysError> open_passed() {
  int accepting = 0;
  socklen_t length = sizeof accepting;
  const int passed = kSystemdDescriptor;
  if (::getsockopt(passed, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &length) != 0 || accepting == 0) {
    if (accepting == 0 && errno == 0) errno = EINVAL;
    return std::unexpected{sys_error("systemd: descriptor 3 is not a listening stream socket")};
  }
  set_flag(passed, SOL_SOCKET, SO_REUSEADDR);
  // A copy, so that no two listeners ever own one number, whatever the settings name twice.
  net::UniqueFd own{::fcntl(passed, F_DUPFD_CLOEXEC, passed)};
  if (!own) return std::unexpected{sys_error("systemd: take descriptor 3")};
  return own;
}

}  // namespace

std::expected<net::Endpoint, SysError> endpoint_of(const SocketSpec& spec, bool resolve_names) {
  const auto family = is_ipv6(spec.kind) ? net::Family::ipv6 : net::Family::ipv4;
  if (spec.where == "*") return net::Endpoint{net::Address::any(family), spec.port};
  if (const auto address = net::Address::parse(spec.where); address && address->family() == family) {
    return net::Endpoint{*address, spec.port};
  }
  if (!resolve_names) {
    return std::unexpected{SysError{.code = EINVAL, .operation = spec.to_string() + ": not an address of its family"}};
  }
  const auto address = net::resolve(spec.where, family);
  if (!address) return std::unexpected{address.error()};
  return net::Endpoint{*address, spec.port};
}

std::expected<net::UniqueFd, SysError> open_socket(const SocketSpec& spec, const ListenOptions& options) {
  switch (spec.kind) {
    case Kind::unix_once:
    case Kind::unix_lines: return open_unix(spec, options);
    case Kind::systemd: return open_passed();
    default: return open_inet(spec, options);
  }
}

}  // namespace millrace::control::transport
