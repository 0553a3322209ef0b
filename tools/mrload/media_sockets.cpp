#include "mrload/media_sockets.hpp"

#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <array>

#include "net/udp.hpp"

namespace millrace::mrload {
namespace {

// 100 ms of 200,000 packets/s; the kernel counts about 800 bytes for a small packet.
constexpr int kReceiveBuffer = 16 << 20;

int enlarge_receive_buffer(int socket) {
  // Past net.core.rmem_max where we may (CAP_NET_ADMIN), up to it where not.
  if (::setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer) != 0) {
    (void)::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  }
  int size = 0;
  socklen_t length = sizeof size;
  (void)::getsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, &length);
  return size;
}

}  // namespace

std::expected<MediaSockets, std::string> MediaSockets::open(const net::Address& local, std::size_t pairs) {
  MediaSockets media;
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    Sides sides;
    for (auto& side : sides) {
      auto socket = net::bind_udp({local, Port{0}}, {.receive_buffer = 0, .timestamps = true});
      if (!socket) return std::unexpected{"the generator's own sockets: " + socket.error().message()};
      const auto bound = net::local_endpoint(socket->get());
      if (!bound) return std::unexpected{"the generator's own sockets: " + bound.error().message()};
      side = *bound;
      media.receive_buffer_ = enlarge_receive_buffer(socket->get());
      media.sockets_.push_back(std::move(*socket));
    }
    media.local_.push_back(sides);
  }
  return media;
}

std::uint64_t MediaSockets::overrun() const {
  std::uint64_t sum = 0;
  for (const auto& socket : sockets_) {
    std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
    socklen_t length = sizeof info;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_MEMINFO, info.data(), &length) == 0) sum += info[SK_MEMINFO_DROPS];
  }
  return sum;
}

}  // namespace millrace::mrload
