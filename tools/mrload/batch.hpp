#pragma once
// Many datagrams per system call: sendmmsg and recvmmsg with the buffers they need, allocated once. One thread.

#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "net/endpoint.hpp"

namespace millrace::mrload {

// An endpoint as the kernel wants it, in 32 bytes where sockaddr_storage has 128: thousands of them are walked through
// fifty times a second.
struct SocketAddress {
  sockaddr_in6 bytes{};   // a sockaddr_in for IPv4
  socklen_t length = 0;

  static SocketAddress of(const net::Endpoint& endpoint);
  // Same family, address and port; a zone or flow label does not count.
  [[nodiscard]] bool same_as(const sockaddr_in6& other) const;
};

class SendBatch {
 public:
  SendBatch(std::size_t capacity, std::size_t datagram_size);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool full() const { return size_ == messages_.size(); }
  void clear() { size_ = 0; }
  // The buffer of the next datagram, with what an earlier one left in it; `to` must live until flush().
  std::span<std::byte> add(const SocketAddress& to);
  // Sends everything. A full buffer of the host or of the card is waited for; other errors end it.
  std::expected<void, SysError> flush(int socket);

 private:
  std::size_t datagram_size_;
  std::size_t size_ = 0;
  std::vector<std::byte> bytes_;
  std::vector<iovec> vectors_;
  std::vector<mmsghdr> messages_;
};

struct Received {
  std::span<const std::byte> bytes;
  const sockaddr_in6& from;
  std::optional<std::chrono::nanoseconds> stamp;   // the kernel's, since 1970, when the socket asked for it
};

class ReceiveBatch {
 public:
  explicit ReceiveBatch(std::size_t capacity);

  // What waits in the socket, at most `capacity`. Never blocks.
  std::size_t receive(int socket);
  [[nodiscard]] Received operator[](std::size_t index) const;

 private:
  static constexpr std::size_t kDatagram = 2'048;
  static constexpr std::size_t kControl = 64;   // one timestamp

  std::vector<std::byte> bytes_;
  std::vector<std::byte> controls_;
  std::vector<sockaddr_in6> sources_;
  std::vector<iovec> vectors_;
  std::vector<mmsghdr> messages_;
};

}  // namespace millrace::mrload
