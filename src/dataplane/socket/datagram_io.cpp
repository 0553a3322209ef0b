#include "dataplane/socket/datagram_io.hpp"

#include <cerrno>
#include <cstring>

namespace millrace::dataplane {
namespace {

WallTime stamp_of(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec at{};
    std::memcpy(&at, CMSG_DATA(part), sizeof at);
    return WallTime{std::chrono::seconds{at.tv_sec} + Nanoseconds{at.tv_nsec}};
  }
  return {};
}

}  // namespace

bool receive(int socket, ReceiveBuffer& buffer, Datagram& out) {
  iovec part{.iov_base = buffer.bytes.data(), .iov_len = buffer.bytes.size()};
  msghdr message{};
  message.msg_name = &buffer.from;
  message.msg_namelen = sizeof buffer.from;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = buffer.control.data();
  message.msg_controllen = buffer.control.size();

  const ssize_t size = ::recvmsg(socket, &message, MSG_DONTWAIT);
  if (size < 0) return false;   // nothing there, or an ICMP error, which this read has taken off the socket
  const auto from = net::Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&buffer.from), message.msg_namelen);
  if (!from) return false;
  out = {.bytes = std::span{buffer.bytes}.first(static_cast<std::size_t>(size)),
         .from = *from,
         .stamp = stamp_of(message),
         .too_long = (message.msg_flags & MSG_TRUNC) != 0};
  return true;
}

bool transmit(int socket, const Destination& to, std::span<const std::byte> bytes) {
  const auto attempt = [&] {
    return ::sendto(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, to.address(), to.length()) >= 0;
  };
  if (attempt()) return true;
  // An error that an earlier packet's ICMP answer left behind: it is taken now, and this packet has not been tried.
  return errno == ECONNREFUSED && attempt();
}

ssize_t receive_stream(int socket, std::span<std::byte> room, WallTime& stamp) {
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(timespec))> control;
  iovec part{.iov_base = room.data(), .iov_len = room.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t count = ::recvmsg(socket, &message, MSG_DONTWAIT);
  stamp = count > 0 ? stamp_of(message) : WallTime{};
  return count;
}

bool transmit_frame(int socket, std::span<std::byte, kFrameHeader> header, std::span<const std::byte> packet,
                    std::size_t& taken) {
  // sendmsg() reads from it alone. NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
  auto* const bytes = const_cast<std::byte*>(packet.data());
  std::array<iovec, 2> parts{iovec{.iov_base = header.data(), .iov_len = header.size()},
                             iovec{.iov_base = bytes, .iov_len = packet.size()}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  const ssize_t count = ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  taken = count < 0 ? 0 : static_cast<std::size_t>(count);
  return count >= 0 || errno == EAGAIN || errno == EWOULDBLOCK;
}

void clear_error(int socket) {
  int error = 0;
  socklen_t length = sizeof error;
  (void)::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length);
}

}  // namespace millrace::dataplane
