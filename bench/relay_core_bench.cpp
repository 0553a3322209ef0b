// What a relayed packet costs: the forwarding core alone, the whole worker, and beside them the smallest epoll relay
// there can be, over several ways to read. Thread CPU time; sockets on loopback, one packet a socket and turn, as
// calls have them.
#include <benchmark/benchmark.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

#include <array>
#include <memory>
#include <vector>

#include "dataplane/socket/relay.hpp"
#include "dataplane/socket/socket_testing.hpp"
#include "dataplane/socket/worker.hpp"
#include "net/udp.hpp"

namespace millrace::dataplane {
namespace {

using flow::Slot;
using testing::Call;
using testing::endpoint;
using testing::rtp_packet;

double thread_cpu_seconds() {
  timespec at{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) + 1e-9 * static_cast<double>(at.tv_nsec);
}

// Packets a second that the time stands for, shown as seconds a packet.
void count_packets(benchmark::State& state, std::int64_t packets) {
  state.counters["per_packet"] =
      benchmark::Counter(static_cast<double>(packets), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// The core: no system call. The calls take turns, so that with many of them their state comes from memory.
void core(benchmark::State& state) {
  const auto calls = static_cast<std::uint64_t>(state.range(0));
  flow::CounterArena arena;
  Connections connections;
  Relay relay{connections};
  Now now = read_clocks();
  std::vector<MediaPort*> ports;
  for (std::uint64_t id = 1; id <= calls; ++id) {
    Closed closed;
    ports.push_back(&connections.install(Call{arena, id}.plan, {}, now, closed).port(Slot::offerer_rtp));
  }
  Sends sends;
  auto packet = rtp_packet(0);
  const net::Endpoint from = endpoint("192.0.2.1:4000");
  std::uint16_t sequence = 0;
  for (auto _ : state) {
    ++sequence;
    packet[2] = static_cast<std::byte>(sequence >> 8);
    packet[3] = static_cast<std::byte>(sequence);
    for (MediaPort* port : ports) {
      const Datagram in{.bytes = packet, .from = from, .stamp = now.wall};
      sends.clear();
      relay.on_datagram(*port, in, now, sends);
      for (Send& send : sends) send.sent = true;
      benchmark::DoNotOptimize(relay.on_sent(*port, in, sends, now.wall + Nanoseconds{5000}));
    }
    now.mono += std::chrono::milliseconds{20};
    now.wall += std::chrono::milliseconds{20};
  }
  count_packets(state, state.iterations() * static_cast<std::int64_t>(calls));
}
BENCHMARK(core)->Arg(1)->Arg(100)->Arg(1000)->Arg(4000);

// What both relays are fed from and send to. Filling and emptying is not measured.
struct Outside {
  explicit Outside() {
    const int size = 4 << 20;
    ::setsockopt(sink.socket.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  void fill(const std::vector<net::Endpoint>& ports) {
    ++sequence;
    const auto packet = rtp_packet(sequence);
    for (const net::Endpoint& port : ports) source.send(packet, port);
  }
  std::size_t empty() {
    std::array<std::byte, 2048> bytes;
    std::size_t count = 0;
    while (::recv(sink.socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT) >= 0) ++count;
    return count;
  }
  testing::Peer source{"127.0.0.1"}, sink{"127.0.0.1"};
  std::uint16_t sequence = 0;
};

// Runs `turn` until every port's packet has been handled, over and over.
template <class Turn>
void measure(benchmark::State& state, Outside& outside, const std::vector<net::Endpoint>& ports, Turn turn) {
  std::size_t relayed = 0;
  for (auto _ : state) {
    outside.fill(ports);
    const double began = thread_cpu_seconds();
    for (std::size_t handled = 0; handled < ports.size();) handled += turn();
    state.SetIterationTime(thread_cpu_seconds() - began);
    relayed += outside.empty();
  }
  const auto packets = state.iterations() * static_cast<std::int64_t>(ports.size());
  if (static_cast<std::int64_t>(relayed) != packets) state.SkipWithError("packets were lost");
  count_packets(state, packets);
}

void worker(benchmark::State& state) {
  flow::CounterArena arena;
  const net::UniqueFd bell{::eventfd(0, EFD_NONBLOCK)};
  const auto worker = Worker::create(0, bell.get()).value();
  Outside outside;
  std::vector<net::Endpoint> ports;
  for (std::uint64_t id = 1; id <= static_cast<std::uint64_t>(state.range(0)); ++id) {
    testing::LiveCall call{arena, id};
    call.plan.port(Slot::offerer_rtp).signalled = outside.source.local;
    call.plan.port(Slot::answerer_rtp).signalled = outside.sink.local;
    ports.push_back(call.local(Slot::offerer_rtp));
    while (!worker->post(call.take_installation())) worker->run_turn(0);
  }
  for (int i = 0; i < 200; ++i) worker->run_turn(0);
  while (worker->next_event()) worker->run_turn(0);
  measure(state, outside, ports, [&] {
    const auto before = worker->statistics().packets_in.value();
    worker->run_turn(0);
    return worker->statistics().packets_in.value() - before;
  });
}
BENCHMARK(worker)->Arg(64)->Arg(1000)->UseManualTime();

enum class Read { recvfrom, recvmsg_stamp, recvmmsg_1, recvmmsg_8 };

// Reads one packet or a few and sends each on. What differs is only the call that reads.
template <Read kRead>
std::size_t relay_bare(int in, int out, const sockaddr_storage& to, socklen_t to_length) {
  static std::array<std::array<std::byte, flow::kMaxDatagram>, 8> buffers;
  constexpr unsigned kBatch = kRead == Read::recvmmsg_8 ? 8 : 1;
  std::array<sockaddr_storage, kBatch> from;
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> parts;
  std::array<std::array<std::byte, CMSG_SPACE(sizeof(timespec))>, kBatch> control;
  const auto send = [&](const std::byte* bytes, std::size_t size) {
    ::sendto(out, bytes, size, MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to), to_length);
  };
  if constexpr (kRead == Read::recvfrom) {
    socklen_t length = sizeof from[0];
    const auto size = ::recvfrom(in, buffers[0].data(), buffers[0].size(), MSG_DONTWAIT,
                                 reinterpret_cast<sockaddr*>(&from[0]), &length);
    if (size < 0) return 0;
    send(buffers[0].data(), static_cast<std::size_t>(size));
    return 1;
  }
  for (unsigned i = 0; i < kBatch; ++i) {
    parts[i] = {.iov_base = buffers[i].data(), .iov_len = buffers[i].size()};
    msghdr& header = messages[i].msg_hdr;
    header.msg_name = &from[i];
    header.msg_namelen = sizeof from[i];
    header.msg_iov = &parts[i];
    header.msg_iovlen = 1;
    header.msg_control = control[i].data();
    header.msg_controllen = control[i].size();
  }
  if constexpr (kRead == Read::recvmsg_stamp) {
    const auto size = ::recvmsg(in, &messages[0].msg_hdr, MSG_DONTWAIT);
    if (size < 0) return 0;
    send(buffers[0].data(), static_cast<std::size_t>(size));
    return 1;
  }
  const int count = ::recvmmsg(in, messages.data(), kBatch, MSG_DONTWAIT, nullptr);
  for (int i = 0; i < count; ++i)
    send(buffers[static_cast<unsigned>(i)].data(), messages[static_cast<unsigned>(i)].msg_len);
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

template <Read kRead>
void bare(benchmark::State& state) {
  const net::UniqueFd epoll{::epoll_create1(0)};
  Outside outside;
  sockaddr_storage to;
  const socklen_t to_length = outside.sink.local.to_sockaddr(to);
  std::vector<net::UniqueFd> in, out;
  std::vector<net::Endpoint> ports;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(state.range(0)); ++i) {
    const net::UdpOptions options{.timestamps = kRead != Read::recvfrom};
    in.push_back(net::bind_udp(testing::any_port("127.0.0.1"), options).value());
    out.push_back(net::bind_udp(testing::any_port("127.0.0.1"), options).value());
    ports.push_back(net::local_endpoint(in.back().get()).value());
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, in.back().get(), &event);
  }
  std::array<epoll_event, kEventsPerTurn> events;
  measure(state, outside, ports, [&] {
    std::size_t handled = 0;
    const int ready = ::epoll_wait(epoll.get(), events.data(), kEventsPerTurn, 0);
    for (int i = 0; i < ready; ++i) {
      const auto which = events[static_cast<std::size_t>(i)].data.u64;
      handled += relay_bare<kRead>(in[which].get(), out[which].get(), to, to_length);
    }
    return handled;
  });
}
BENCHMARK(bare<Read::recvfrom>)->Name("bare/recvfrom")->Arg(64)->Arg(1000)->UseManualTime();
BENCHMARK(bare<Read::recvmsg_stamp>)->Name("bare/recvmsg+stamp")->Arg(64)->Arg(1000)->UseManualTime();
BENCHMARK(bare<Read::recvmmsg_1>)->Name("bare/recvmmsg(1)+stamp")->Arg(64)->Arg(1000)->UseManualTime();
BENCHMARK(bare<Read::recvmmsg_8>)->Name("bare/recvmmsg(8)+stamp")->Arg(64)->Arg(1000)->UseManualTime();

}  // namespace
}  // namespace millrace::dataplane

BENCHMARK_MAIN();
