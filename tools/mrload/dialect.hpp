#pragma once
// A control protocol, seen from the client that sets up two-sided calls: what to write, and what a reply says. The one
// contract that rtpproxy_dialect.cpp and ng_dialect.cpp fill. Pure text; cookies and sockets are exchange.hpp's.

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "net/endpoint.hpp"

namespace millrace::mrload {

struct CallName {
  std::uint32_t run;      // tells the calls of this run from those of an earlier one
  std::uint32_t number;
};

enum class Protocol { rtpproxy, ng };

class Dialect {
 public:
  virtual ~Dialect() = default;
  // The caller's side: its media comes from and goes to `caller`. The reply names where the callee must send.
  [[nodiscard]] virtual std::string offer(CallName call, const net::Endpoint& caller) const = 0;
  // The callee's side; the reply names where the caller must send.
  [[nodiscard]] virtual std::string answer(CallName call, const net::Endpoint& callee) const = 0;
  [[nodiscard]] virtual std::string remove(CallName call) const = 0;

  // What an offer's or answer's reply says; `control` stands in for the address when the reply names only a port. The
  // error quotes the reply and says in words what it means.
  [[nodiscard]] virtual std::expected<net::Endpoint, std::string> media_address(std::string_view reply,
                                                                                const net::Address& control) const = 0;
  [[nodiscard]] virtual std::expected<void, std::string> removed(std::string_view reply) const = 0;
};

std::unique_ptr<Dialect> make_dialect(Protocol protocol);
std::unique_ptr<Dialect> make_rtpproxy_dialect();
std::unique_ptr<Dialect> make_ng_dialect();

}  // namespace millrace::mrload
