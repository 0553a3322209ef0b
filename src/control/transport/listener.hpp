#pragma once
// Sockets that a front end is spoken to on. Each listener cuts what arrives into requests, hands them to its
// Frontend, and sends the answers; it knows nothing of what they say. Control thread only: everything runs on the
// io_context that is given.
//
// Bounds: a request has kMaxRequest bytes; a connection's answers are written before more is read from it, so a peer
// that does not read holds nobody up; connections are limited by ConnectionLimit.

#include <sys/types.h>

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "control/frontend.hpp"
#include "control/transport/connection_limit.hpp"
#include "control/transport/reply_cache.hpp"
#include "control/transport/socket_spec.hpp"
#include "net/endpoint.hpp"

namespace boost::asio {
class io_context;
}

namespace millrace::control::transport {

// What listeners share; all of it outlives them.
struct Service {
  boost::asio::io_context& io;
  Frontend& frontend;
  ReplyCache& cache;            // used by datagram listeners
  ConnectionLimit& connections;
  std::function<void()> after_batch;      // once per batch of requests, before the answers leave
  std::function<void()> after_answers;    // once per batch, when they have left or are about to
  std::function<void(Kind)> end_of_input;  // stdin has ended
};

struct ListenOptions {
  bool resolve_names = true;
  std::optional<mode_t> unix_mode;  // of a Unix socket's file; nothing: as the umask says
  uid_t unix_owner = static_cast<uid_t>(-1);  // -1: as it is
  gid_t unix_group = static_cast<gid_t>(-1);
  bool unix_take_over = true;  // from a process that still listens there, too; a left-over file is always replaced
};

class Listener {
 public:
  virtual ~Listener() = default;
  // Where it listens; not set for Unix sockets and stdio.
  [[nodiscard]] virtual net::Endpoint local() const = 0;
};

// Opens the socket at once, so that what is wrong is said at the start and before privileges are dropped.
std::expected<std::unique_ptr<Listener>, SysError> listen(const SocketSpec& spec, const ListenOptions& options,
                                                          Service& service);

}  // namespace millrace::control::transport
