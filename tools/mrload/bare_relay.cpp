#include "mrload/bare_relay.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <sstream>
#include <vector>

#include "base/parse.hpp"
#include "net/udp.hpp"

namespace millrace::mrload {
namespace {

constexpr int kEvents = 256;
constexpr std::size_t kDatagram = 2'048;

bool watch(int epoll, int socket, void* tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = tag;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) == 0;
}

}  // namespace

std::expected<BareRelay, SysError> BareRelay::open(const net::Endpoint& control) {
  auto socket = net::bind_udp(control, {.receive_buffer = 1 << 20, .timestamps = false});
  if (!socket) return std::unexpected{socket.error()};
  const auto local = net::local_endpoint(socket->get());
  if (!local) return std::unexpected{local.error()};
  net::UniqueFd epoll{::epoll_create1(EPOLL_CLOEXEC)};
  if (!epoll || !watch(epoll.get(), socket->get(), nullptr)) return std::unexpected{sys_error("epoll")};
  return BareRelay{*local, std::move(*socket), std::move(epoll)};
}

void BareRelay::turn(std::optional<std::chrono::milliseconds> patience) {
  std::array<epoll_event, kEvents> events;
  const int count =
      ::epoll_wait(epoll_.get(), events.data(), kEvents, patience ? static_cast<int>(patience->count()) : -1);
  bool commands = false;
  for (int i = 0; i < count; ++i) {
    if (auto* leg = static_cast<Leg*>(events[static_cast<std::size_t>(i)].data.ptr)) {
      forward(*leg);
    } else {
      commands = true;
    }
  }
  if (commands) on_commands();   // last: a D frees legs that this list of events may name
}

void BareRelay::forward(Leg& leg) {
  std::array<std::byte, kDatagram> buffer;
  const auto size = ::recvfrom(leg.socket.get(), buffer.data(), buffer.size(), 0, nullptr, nullptr);
  if (size < 0 || leg.other->remote.length == 0 || !leg.other->socket) return;
  (void)::sendto(leg.other->socket.get(), buffer.data(), static_cast<std::size_t>(size), 0,
                 reinterpret_cast<const sockaddr*>(&leg.other->remote.bytes), leg.other->remote.length);
}

void BareRelay::on_commands() {
  std::array<char, kDatagram> buffer;
  while (true) {
    sockaddr_in6 from{};
    socklen_t length = sizeof from;
    const auto size =
        ::recvfrom(socket_.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
    if (size < 0) return;
    const std::string_view datagram{buffer.data(), static_cast<std::size_t>(size)};
    const auto space = std::min(datagram.find(' '), datagram.size());
    const auto reply = fmt::format("{} {}\n", datagram.substr(0, space), answer(datagram.substr(space)));
    (void)::sendto(socket_.get(), reply.data(), reply.size(), 0, reinterpret_cast<const sockaddr*>(&from), length);
  }
}

std::string BareRelay::answer(std::string_view command) {
  std::istringstream in{std::string{command}};
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  if (words.empty()) return "E5";
  const char letter = words[0][0];
  if (letter == 'V') return "20040107";
  if (letter == 'D') return words.size() < 2 || calls_.erase(words[1]) == 0 ? "E50" : "0";
  if (letter != 'U' && letter != 'L') return "E0";
  if (words.size() < 5) return "E1";
  const auto address = net::Address::parse(words[2]);
  const auto port = parse_number<std::uint16_t>(words[3]);
  if (!address || !port) return "E37";
  return signalled(words[1], letter == 'U', {*address, Port{*port}});
}

// U names the caller's address and gets the port that the callee sends to; L the other way round.
std::string BareRelay::signalled(std::string_view id, bool create, const net::Endpoint& remote) {
  auto found = calls_.find(id);
  if (found == calls_.end()) {
    if (!create) return "0";
    auto call = std::make_unique<Call>();
    for (std::size_t i = 0; i < 2; ++i) call->legs[i].other = &call->legs[1 - i];
    found = calls_.emplace(std::string{id}, std::move(call)).first;
  }
  Leg& party = found->second->legs[create ? 0 : 1];
  party.remote = SocketAddress::of(remote);
  Leg& port = *party.other;
  if (!port.socket && !open_leg(port)) {
    if (create) calls_.erase(found);
    return create ? "E72" : "E71";
  }
  return fmt::format("{} {}{}", port.local.port.value(), port.local.address.to_string(),
                     port.local.address.is_ipv6() ? " 6" : "");
}

bool BareRelay::open_leg(Leg& leg) {
  auto socket = net::bind_udp({control_.address, Port{0}}, {.receive_buffer = 0, .timestamps = false});
  if (!socket) return false;
  const auto local = net::local_endpoint(socket->get());
  if (!local || !watch(epoll_.get(), socket->get(), &leg)) return false;
  leg.socket = std::move(*socket);
  leg.local = *local;
  return true;
}

}  // namespace millrace::mrload
