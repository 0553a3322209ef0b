#include "net/tcp.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace millrace::net {
namespace {

constexpr int kProbeSeconds = 10;       // between two probes of a peer that does not answer
constexpr long kMaxKeepIdle = 32'767;   // seconds; the kernel refuses more

int domain_of(Family family) { return family == Family::ipv6 ? AF_INET6 : AF_INET; }

bool set_option(int socket, int level, int option, int value) {
  return ::setsockopt(socket, level, option, &value, sizeof value) == 0;
}

bool prepare(int socket, const Endpoint& local) {
  if (local.address.is_ipv6() && !set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1)) return false;
  if (!set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1)) return false;
  sockaddr_storage address;
  const auto length = local.to_sockaddr(address);
  return ::bind(socket, reinterpret_cast<const sockaddr*>(&address), length) == 0;
}

}  // namespace

std::expected<UniqueFd, SysError> reserve_tcp(const Endpoint& local) {
  UniqueFd socket{::socket(domain_of(local.address.family()), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket) return std::unexpected{sys_error("socket")};
  if (!prepare(socket.get(), local)) return std::unexpected{sys_error("bind " + local.to_string())};
  return socket;
}

std::expected<UniqueFd, SysError> listen_tcp(const Endpoint& local) {
  auto socket = reserve_tcp(local);
  if (!socket) return socket;
  // With SO_REUSEADDR a second bind may pass where a second listener may not.
  if (::listen(socket->get(), kStreamBacklog) != 0) return std::unexpected{sys_error("listen " + local.to_string())};
  return socket;
}

std::expected<UniqueFd, SysError> connect_tcp(const Endpoint& local, const Endpoint& remote) {
  auto socket = reserve_tcp(local);
  if (!socket) return socket;
  sockaddr_storage address;
  const auto length = remote.to_sockaddr(address);
  const int result = ::connect(socket->get(), reinterpret_cast<const sockaddr*>(&address), length);
  if (result != 0 && errno != EINPROGRESS) return std::unexpected{sys_error("connect " + remote.to_string())};
  return socket;
}

std::expected<void, SysError> set_stream_options(int socket, const StreamTimes& times) {
  const auto keep_alive = static_cast<int>(std::clamp<long>(times.keep_alive.count(), 0, kMaxKeepIdle));
  const auto user_timeout = static_cast<int>(std::clamp<long>(times.user_timeout.count(), 0, 2'000'000)) * 1000;
  // An urgent byte is one of the stream like any other, not one that is missing from it.
  const bool done = set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1) &&
                    set_option(socket, SOL_SOCKET, SO_OOBINLINE, 1) &&
                    set_option(socket, SOL_SOCKET, SO_KEEPALIVE, keep_alive > 0 ? 1 : 0) &&
                    (keep_alive == 0 || (set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, keep_alive) &&
                                         set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, kProbeSeconds))) &&
                    (user_timeout == 0 || set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout));
  if (!done) return std::unexpected{sys_error("set TCP options")};
  return {};
}

}  // namespace millrace::net
