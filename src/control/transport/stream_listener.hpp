#pragma once
// Commands on streams: Unix and TCP listeners (also one that systemd passes), and stdin.

#include "control/transport/listener.hpp"

namespace millrace::control::transport {

std::expected<std::unique_ptr<Listener>, SysError> listen_stream(const SocketSpec& spec, const ListenOptions& options,
                                                                 Service& service);
std::expected<std::unique_ptr<Listener>, SysError> listen_stdio(const SocketSpec& spec, Service& service);

}  // namespace millrace::control::transport
