#pragma once
// The relay's control address and the requests under way to it. One thread.

#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "mrload/exchange.hpp"
#include "net/endpoint.hpp"
#include "net/unique_fd.hpp"

namespace millrace::mrload {

class ControlSocket {
 public:
  static std::expected<ControlSocket, std::string> open(const net::Endpoint& relay, std::uint32_t run);

  std::expected<void, std::string> start(std::uint64_t tag, std::string_view request);
  // Hands over the replies that are there, or that come within `patience`; repeats what is due. The error is a
  // sentence for the user: the relay does not answer.
  std::expected<void, std::string> poll(std::chrono::milliseconds patience,
                                        const std::function<void(const Exchange::Reply&)>& on_reply);
  // One request and its reply.
  std::expected<std::string, std::string> ask(std::string_view request);

  [[nodiscard]] std::size_t under_way() const { return exchange_.under_way(); }
  [[nodiscard]] std::uint64_t repeats() const { return exchange_.repeats(); }
  [[nodiscard]] const net::Endpoint& relay() const { return relay_; }

 private:
  ControlSocket(net::UniqueFd fd, const net::Endpoint& relay, std::uint32_t run)
      : fd_{std::move(fd)}, relay_{relay}, exchange_{run} {}
  std::expected<void, std::string> send(const std::string& datagram);
  bool receive(const std::function<void(const Exchange::Reply&)>& on_reply);
  [[nodiscard]] std::string silence() const;

  net::UniqueFd fd_;
  net::Endpoint relay_;
  Exchange exchange_;
  bool refused_ = false;   // the host said that nobody listens there
};

}  // namespace millrace::mrload
