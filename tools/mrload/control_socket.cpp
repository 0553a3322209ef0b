#include "mrload/control_socket.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "base/error.hpp"

namespace millrace::mrload {
namespace {

constexpr std::size_t kMaxReply = 65'536;
constexpr int kReceiveBuffer = 1 << 20;
// A reply within this time is awaited without sleeping: the time of a wake-up is the machine's, not the relay's.
constexpr std::chrono::microseconds kSpin{500};

TimePoint now() { return read_clocks().mono; }

}  // namespace

std::expected<ControlSocket, std::string> ControlSocket::open(const net::Endpoint& relay, std::uint32_t run) {
  sockaddr_storage address{};
  const auto length = relay.to_sockaddr(address);
  net::UniqueFd fd{::socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd) return std::unexpected{sys_error("socket").message()};
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    return std::unexpected{sys_error("connect to the relay's control address " + relay.to_string()).message()};
  }
  return ControlSocket{std::move(fd), relay, run};
}

std::expected<void, std::string> ControlSocket::start(std::uint64_t tag, std::string_view request) {
  return send(exchange_.start(tag, request, now()));
}

std::expected<void, std::string> ControlSocket::send(const std::string& datagram) {
  // Twice: the first may only report the refusal of an earlier datagram.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (::send(fd_.get(), datagram.data(), datagram.size(), 0) >= 0) return {};
    if (errno != ECONNREFUSED) break;
    refused_ = true;
  }
  // Refused or no buffer: as good as lost on the way, the repeat covers it.
  if (errno == ECONNREFUSED || errno == EAGAIN || errno == ENOBUFS) return {};
  return std::unexpected{sys_error("send to " + relay_.to_string()).message()};
}

bool ControlSocket::receive(const std::function<void(const Exchange::Reply&)>& on_reply) {
  std::array<char, kMaxReply> buffer;
  bool any = false;
  while (true) {
    const auto size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (size < 0) {
      refused_ |= errno == ECONNREFUSED;
      return any;
    }
    any = true;
    refused_ = false;
    const auto reply = exchange_.on_datagram({buffer.data(), static_cast<std::size_t>(size)}, now());
    if (reply) on_reply(*reply);
  }
}

std::expected<void, std::string> ControlSocket::poll(std::chrono::milliseconds patience,
                                                     const std::function<void(const Exchange::Reply&)>& on_reply) {
  const auto started = now();
  while (now() - started < kSpin) {
    if (receive(on_reply)) return {};
  }
  pollfd waiting{fd_.get(), POLLIN, 0};
  (void)::poll(&waiting, 1, static_cast<int>(patience.count()));
  (void)receive(on_reply);
  for (const auto& datagram : exchange_.due(now())) {
    if (auto sent = send(datagram); !sent) return sent;
  }
  if (exchange_.given_up(now())) return std::unexpected{silence()};
  return {};
}

std::expected<std::string, std::string> ControlSocket::ask(std::string_view request) {
  std::string answer;
  bool answered = false;
  if (auto sent = start(0, request); !sent) return std::unexpected{sent.error()};
  while (!answered) {
    const auto polled = poll(std::chrono::milliseconds{100}, [&](const Exchange::Reply& reply) {
      answer = reply.text;
      answered = true;
    });
    if (!polled) return std::unexpected{polled.error()};
  }
  while (!answer.empty() && (answer.back() == '\n' || answer.back() == '\r')) answer.pop_back();
  return answer;
}

std::string ControlSocket::silence() const {
  return fmt::format(
      "{} after {} tries of {} s: is the relay running, is this its control address, and is the protocol "
      "the right one?",
      refused_ ? fmt::format("nobody listens on udp {} (connection refused)", relay_.to_string())
               : fmt::format("no reply from udp {}", relay_.to_string()),
      Exchange::kTries, Exchange::kRetryAfter.count());
}

}  // namespace millrace::mrload
