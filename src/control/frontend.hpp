#pragma once
// What every front end of datagrams or lines promises: bytes → session::Command → session::Reply → bytes. Transport
// owns sockets, framing and the reply cache and knows nothing but this; app/ joins the two. Control thread only.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/endpoint.hpp"

namespace millrace::control {

inline constexpr std::size_t kMaxRequest = 8191;  // bytes of one datagram or line

// Where a request came from.
struct Origin {
  net::Endpoint peer;   // not set for Unix sockets and stdio
  net::Endpoint local;  // the address the peer spoke to; not set likewise
  std::uint32_t user_id = 0;  // SO_PEERCRED of a Unix socket
};

// A datagram cut into the part that names it and the part that says something. A front end without cookies leaves
// `cookie` empty: such datagrams are never cached.
struct Split {
  std::string_view cookie;
  std::string_view body;
};

class Frontend {
 public:
  virtual ~Frontend() = default;
  [[nodiscard]] virtual Split split(std::string_view datagram) const = 0;
  // Runs one request. Appends the whole answer, line end included, without the cookie (transport puts it in front).
  virtual void serve(std::string_view body, const Origin& origin, std::string& answer) = 0;
  // A datagram of more than kMaxRequest bytes, whose text was not looked at: appends the whole answer to it.
  virtual void refuse_too_long(std::string& answer) = 0;
  // Transport answered a repeated cookie from its cache; the front end only counts it.
  virtual void on_repeat() {}
};

}  // namespace millrace::control
