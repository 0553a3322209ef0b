#pragma once
// Commands in datagrams, with cookies and the reply cache. Reads and answers in batches: one recvmmsg, all commands,
// one sendmmsg. On a wildcard socket an answer leaves from the address that the request came to.

#include "control/transport/listener.hpp"

namespace millrace::control::transport {

std::expected<std::unique_ptr<Listener>, SysError> listen_udp(const SocketSpec& spec, const ListenOptions& options,
                                                              Service& service);

}  // namespace millrace::control::transport
