#include "control/transport/udp_listener.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstring>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "control/transport/open_socket.hpp"
#include "net/udp.hpp"

namespace millrace::control::transport {
namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kBatchesPerTurn = 4;  // then the rest of the control loop has its turn
constexpr std::size_t kControlBytes = CMSG_SPACE(sizeof(in6_pktinfo));

// One datagram in, one answer out; the buffers live as long as the listener.
struct Exchange {
  std::array<char, kMaxRequest + 1> request;
  std::array<char, kControlBytes> control;
  sockaddr_storage peer;
  iovec in, out;
  std::string answer;
};

class UdpListener final : public Listener {
 public:
  UdpListener(net::UniqueFd socket, net::Endpoint local, Service& service, ConnectionLimit::Place place)
      : service_{service}, local_{local}, place_{std::move(place)}, descriptor_{service.io, socket.release()} {
    wait();
  }
  [[nodiscard]] net::Endpoint local() const override { return local_; }

 private:
  void wait() {
    descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
      if (error) return;  // the listener is going
      for (std::size_t i = 0; i < kBatchesPerTurn && run_batch(); ++i) {}
      wait();
    });
  }

  bool run_batch();
  std::size_t receive();
  void serve(Exchange& exchange, mmsghdr& header, TimePoint now);
  [[nodiscard]] Origin origin_of(mmsghdr& header, const Exchange& exchange) const;
  void send(std::size_t count);

  Service& service_;
  net::Endpoint local_;
  ConnectionLimit::Place place_;
  boost::asio::posix::stream_descriptor descriptor_;
  // Not filled with zeros: pages that no burst ever reaches cost nothing.
  std::unique_ptr<std::array<Exchange, kBatch>> exchanges_ =
      std::make_unique_for_overwrite<std::array<Exchange, kBatch>>();
  std::array<mmsghdr, kBatch> headers_{};
};

// True when there may be more to read.
bool UdpListener::run_batch() {
  const std::size_t count = receive();
  if (count == 0) return false;
  const auto now = read_clocks().mono;
  for (std::size_t i = 0; i < count; ++i) serve((*exchanges_)[i], headers_[i], now);
  service_.after_batch();
  send(count);
  service_.after_answers();
  return count == kBatch;
}

std::size_t UdpListener::receive() {
  for (std::size_t i = 0; i < kBatch; ++i) {
    Exchange& exchange = (*exchanges_)[i];
    exchange.in = {.iov_base = exchange.request.data(), .iov_len = exchange.request.size()};
    headers_[i].msg_hdr = {.msg_name = &exchange.peer,
                           .msg_namelen = sizeof exchange.peer,
                           .msg_iov = &exchange.in,
                           .msg_iovlen = 1,
                           .msg_control = exchange.control.data(),
                           .msg_controllen = exchange.control.size(),
                           .msg_flags = 0};
  }
  // An error here is an earlier answer's (ICMP unreachable): nothing is lost, the next wait goes on.
  const int count = ::recvmmsg(descriptor_.native_handle(), headers_.data(), kBatch, MSG_DONTWAIT, nullptr);
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

void UdpListener::serve(Exchange& exchange, mmsghdr& header, TimePoint now) {
  const std::string_view datagram{exchange.request.data(), header.msg_len};
  const Split split = service_.frontend.split(datagram.substr(0, kMaxRequest));
  exchange.answer.assign(split.cookie);
  if (const auto stored = split.cookie.empty() ? std::nullopt : service_.cache.find(split.cookie, now)) {
    exchange.answer += *stored;
    service_.frontend.on_repeat();
    return;
  }
  if (!split.cookie.empty()) exchange.answer += ' ';
  if (datagram.size() > kMaxRequest) {
    service_.frontend.refuse_too_long(exchange.answer);
  } else {
    service_.frontend.serve(split.body, origin_of(header, exchange), exchange.answer);
  }
  if (split.cookie.empty()) return;
  service_.cache.store(split.cookie, std::string_view{exchange.answer}.substr(split.cookie.size()), now);
}

Origin UdpListener::origin_of(mmsghdr& header, const Exchange& exchange) const {
  Origin origin;
  const auto* peer = reinterpret_cast<const sockaddr*>(&exchange.peer);
  origin.peer = net::Endpoint::from_sockaddr(peer, header.msg_hdr.msg_namelen).value_or(net::Endpoint{});
  origin.local = local_;
  if (!local_.address.is_any()) return origin;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header.msg_hdr); c != nullptr; c = CMSG_NXTHDR(&header.msg_hdr, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      origin.local.address = net::Address::ipv4(ntohl(info.ipi_spec_dst.s_addr));
      info.ipi_ifindex = 0;  // the answer goes by the routes, which may be another way than it came
      std::memcpy(CMSG_DATA(c), &info, sizeof info);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      std::array<std::uint8_t, 16> bytes{};
      std::memcpy(bytes.data(), CMSG_DATA(c), bytes.size());
      origin.local.address = net::Address::ipv6(bytes);
    }
  }
  return origin;
}

// The control data that came with a request goes back with its answer: on a wildcard socket that is the address to
// answer from. IPv6 keeps the interface with it: a link-local address means nothing without.
void UdpListener::send(std::size_t count) {
  std::size_t ready = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Exchange& exchange = (*exchanges_)[i];
    if (exchange.answer.empty()) continue;
    exchange.out = {.iov_base = exchange.answer.data(), .iov_len = exchange.answer.size()};
    msghdr header = headers_[i].msg_hdr;
    header.msg_iov = &exchange.out;
    header.msg_flags = 0;
    if (!local_.address.is_any()) {
      header.msg_control = nullptr;
      header.msg_controllen = 0;
    }
    headers_[ready++] = {.msg_hdr = header, .msg_len = 0};
  }
  for (std::size_t sent = 0; sent < ready;) {
    const int result = ::sendmmsg(descriptor_.native_handle(), headers_.data() + sent,
                                  static_cast<unsigned>(ready - sent), MSG_DONTWAIT);
    // One answer that cannot go (peer gone, buffer full) is lost, as datagrams are: the client asks again.
    sent += result > 0 ? static_cast<std::size_t>(result) : 1;
  }
}

}  // namespace

std::expected<std::unique_ptr<Listener>, SysError> listen_udp(const SocketSpec& spec, const ListenOptions& options,
                                                              Service& service) {
  auto socket = open_socket(spec, options);
  if (!socket) return std::unexpected{socket.error()};
  const auto local = net::local_endpoint(socket->get());
  if (!local) return std::unexpected{local.error()};
  return std::make_unique<UdpListener>(std::move(*socket), *local, service, service.connections.enter(nullptr));
}

}  // namespace millrace::control::transport
