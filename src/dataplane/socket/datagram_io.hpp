#pragma once
// The system calls of a packet's way: one to receive, one to send. A refusal of the kernel is an answer, never an
// exception; ICMP errors of one destination never stop a socket.

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cstddef>
#include <span>

#include "dataplane/socket/framing.hpp"
#include "dataplane/socket/port.hpp"
#include "flow/plan.hpp"

namespace millrace::dataplane {

// Where a worker receives: one for all its ports, because a datagram is done with before the next is read.
struct ReceiveBuffer {
  std::array<std::byte, flow::kMaxDatagram> bytes;
  sockaddr_storage from;
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(timespec))> control;
};

// One datagram; false: there was none. `out` borrows from `buffer`.
[[nodiscard]] bool receive(int socket, ReceiveBuffer& buffer, Datagram& out);
// False: the kernel did not take it.
[[nodiscard]] bool transmit(int socket, const Destination& to, std::span<const std::byte> bytes);
// Of a framed stream: what comes next, as recv() says it, and the kernel's stamp of it.
[[nodiscard]] ssize_t receive_stream(int socket, std::span<std::byte> room, WallTime& stamp);
// A length and its packet in one call. `taken`: how much of both the kernel has room for, maybe nothing. False: the
// stream is broken.
[[nodiscard]] bool transmit_frame(int socket, std::span<std::byte, kFrameHeader> header,
                                  std::span<const std::byte> packet, std::size_t& taken);
// Takes the error that an ICMP message left on the socket, so that it is readable for packets alone.
void clear_error(int socket);

}  // namespace millrace::dataplane
