#include "control/transport/listener.hpp"

#include "control/transport/stream_listener.hpp"
#include "control/transport/udp_listener.hpp"

namespace millrace::control::transport {

std::expected<std::unique_ptr<Listener>, SysError> listen(const SocketSpec& spec, const ListenOptions& options,
                                                          Service& service) {
  if (is_datagram(spec.kind)) return listen_udp(spec, options, service);
  if (is_stdio(spec.kind)) return listen_stdio(spec, service);
  return listen_stream(spec, options, service);
}

}  // namespace millrace::control::transport
