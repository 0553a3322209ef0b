#include "mrload/batch.hpp"

#include <poll.h>

#include <cerrno>
#include <cstring>
#include <ctime>

namespace millrace::mrload {

SocketAddress SocketAddress::of(const net::Endpoint& endpoint) {
  sockaddr_storage storage{};
  SocketAddress address;
  address.length = endpoint.to_sockaddr(storage);
  std::memcpy(&address.bytes, &storage, sizeof address.bytes);
  return address;
}

bool SocketAddress::same_as(const sockaddr_in6& other) const {
  // The port is at the same place in both families.
  if (bytes.sin6_family != other.sin6_family || bytes.sin6_port != other.sin6_port) return false;
  if (bytes.sin6_family == AF_INET6) return std::memcmp(&bytes.sin6_addr, &other.sin6_addr, sizeof(in6_addr)) == 0;
  const auto v4 = [](const sockaddr_in6& address) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    return in.sin_addr.s_addr;
  };
  return v4(bytes) == v4(other);
}

SendBatch::SendBatch(std::size_t capacity, std::size_t datagram_size)
    : datagram_size_{datagram_size}, bytes_(capacity * datagram_size), vectors_(capacity), messages_(capacity) {
  for (std::size_t i = 0; i < capacity; ++i) {
    vectors_[i] = {bytes_.data() + i * datagram_size, datagram_size};
    messages_[i].msg_hdr.msg_iov = &vectors_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
  }
}

std::span<std::byte> SendBatch::add(const SocketAddress& to) {
  auto& header = messages_[size_].msg_hdr;
  header.msg_name = const_cast<sockaddr_in6*>(&to.bytes);   // the kernel only reads it
  header.msg_namelen = to.length;
  return {bytes_.data() + size_++ * datagram_size_, datagram_size_};
}

std::expected<void, SysError> SendBatch::flush(int socket) {
  std::size_t done = 0;
  while (done < size_) {
    const int sent = ::sendmmsg(socket, messages_.data() + done, static_cast<unsigned>(size_ - done), 0);
    if (sent >= 0) {
      done += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN || errno == ENOBUFS) {
      pollfd waiting{socket, POLLOUT, 0};
      (void)::poll(&waiting, 1, 1);
    } else if (errno != EINTR && errno != ECONNREFUSED) {
      size_ = 0;
      return std::unexpected{sys_error("send media")};
    }
  }
  size_ = 0;
  return {};
}

ReceiveBatch::ReceiveBatch(std::size_t capacity)
    : bytes_(capacity * kDatagram),
      controls_(capacity * kControl),
      sources_(capacity),
      vectors_(capacity),
      messages_(capacity) {
  for (std::size_t i = 0; i < capacity; ++i) {
    vectors_[i] = {bytes_.data() + i * kDatagram, kDatagram};
    auto& header = messages_[i].msg_hdr;
    header.msg_iov = &vectors_[i];
    header.msg_iovlen = 1;
    header.msg_name = &sources_[i];
    header.msg_control = controls_.data() + i * kControl;
  }
}

std::size_t ReceiveBatch::receive(int socket) {
  for (auto& message : messages_) {   // the kernel overwrites both with what it used
    message.msg_hdr.msg_namelen = sizeof(sockaddr_in6);
    message.msg_hdr.msg_controllen = kControl;
  }
  const int count =
      ::recvmmsg(socket, messages_.data(), static_cast<unsigned>(messages_.size()), MSG_DONTWAIT, nullptr);
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

Received ReceiveBatch::operator[](std::size_t index) const {
  const auto& message = messages_[index];
  Received received{{bytes_.data() + index * kDatagram, message.msg_len}, sources_[index], std::nullopt};
  auto& header = const_cast<msghdr&>(message.msg_hdr);   // CMSG_NXTHDR wants it so; nothing is written
  for (auto* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec stamp{};
    std::memcpy(&stamp, CMSG_DATA(control), sizeof stamp);
    received.stamp = std::chrono::seconds{stamp.tv_sec} + std::chrono::nanoseconds{stamp.tv_nsec};
  }
  return received;
}

}  // namespace millrace::mrload
