#pragma once
// Opens and binds the sockets that a SocketSpec names.

#include <expected>

#include "base/error.hpp"
#include "control/transport/listener.hpp"
#include "control/transport/socket_spec.hpp"
#include "net/endpoint.hpp"
#include "net/unique_fd.hpp"

namespace millrace::control::transport {

// "*" is any address; a name is resolved if that is allowed.
std::expected<net::Endpoint, SysError> endpoint_of(const SocketSpec& spec, bool resolve_names);
// Bound (and listening, for streams). A file in the place of a Unix socket is removed first.
std::expected<net::UniqueFd, SysError> open_socket(const SocketSpec& spec, const ListenOptions& options);

}  // namespace millrace::control::transport
