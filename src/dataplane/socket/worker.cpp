#include "dataplane/socket/worker.hpp"

#include <pthread.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "net/udp.hpp"

namespace millrace::dataplane {
namespace {

// What could not be told because control's ring is full is tried again after this long, if nothing else happens.
constexpr int kTellAgainMs = 1;
// A deadline further away than this is looked at again on the way.
constexpr int kLongestWaitMs = 60'000;

// The two clocks cost 54 ns, a packet 4.4 µs. Read once for four packets they cost 0.3 %, and a latency is told too
// small by at most what four packets take, about 20 µs.
constexpr int kPacketsPerClockRead = 4;

void ring_bell(int event) {
  const std::uint64_t one = 1;
  // The only refusal is a counter at its maximum: then the other side is awake anyway.
  [[maybe_unused]] const ssize_t written = ::write(event, &one, sizeof one);
}

void silence_bell(int event) {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t read = ::read(event, &count, sizeof count);
}

void pin_to(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  // A CPU that was taken away since: the thread runs where it may.
  (void)::pthread_setaffinity_np(::pthread_self(), sizeof set, &set);
}

}  // namespace

std::expected<std::unique_ptr<Worker>, SysError> Worker::create(unsigned number, int control_event, std::size_t pipes) {
  net::UniqueFd epoll{::epoll_create1(EPOLL_CLOEXEC)};
  if (!epoll) return std::unexpected{sys_error("epoll_create1")};
  net::UniqueFd event{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  if (!event) return std::unexpected{sys_error("eventfd")};
  epoll_event bell{.events = EPOLLIN, .data = {.ptr = nullptr}};
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, event.get(), &bell) != 0) return std::unexpected{sys_error("epoll_ctl")};
  return std::unique_ptr<Worker>{new Worker{number, std::move(epoll), std::move(event), control_event, pipes}};
}

Worker::Worker(unsigned number, net::UniqueFd epoll, net::UniqueFd event, int control_event, std::size_t pipes)
    : number_{number},
      control_event_{control_event},
      epoll_{std::move(epoll)},
      event_{std::move(event)},
      streams_{{.epoll = epoll_.get(), .relay = relay_, .statistics = statistics_, .told = kept_back_}, pipes} {}

Worker::~Worker() {
  stop();
  connections_.for_each([this](Connection& connection) { streams_.remove(connection); });
}

void Worker::start(std::optional<unsigned> cpu) {
  // Signals are the control loop's: the thread inherits a mask that blocks them all.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread{[this, cpu] {
    ::pthread_setname_np(::pthread_self(), ("worker-" + std::to_string(number_)).c_str());
    if (cpu) pin_to(*cpu);
    run();
  }};
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_release);
  wake();
  thread_.join();
}

void Worker::wake() { ring_bell(event_.get()); }

void Worker::run() {
  while (!stopping_.load(std::memory_order_acquire)) run_turn(-1);
}

void Worker::run_turn(int wait_ms) {
  if (!inbox_.empty()) {
    now_ = read_clocks();
    run_commands();
  }
  if (room_wanted_.load(std::memory_order_relaxed) && room_wanted_.exchange(false)) ring_bell(control_event_);
  tell_control();

  if (!inbox_.empty()) wait_ms = 0;
  if (wait_ms != 0 && !kept_back_.empty()) wait_ms = kTellAgainMs;
  const int ready = ::epoll_wait(epoll_.get(), events_.data(), kEventsPerTurn, wait_until_due(wait_ms));
  for (int i = 0; i < ready; ++i) {
    if (i % kPacketsPerClockRead == 0) now_ = read_clocks();
    on_event(events_[static_cast<std::size_t>(i)]);
  }
  if (streams_.next_due()) run_due();
  tell_control();
  statistics_.turns.add();
}

int Worker::wait_until_due(int wait_ms) const {
  const auto due = streams_.next_due();
  if (!due || wait_ms == 0) return wait_ms;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - read_clocks().mono).count();
  const int until_due = static_cast<int>(std::clamp<std::int64_t>(left, 0, kLongestWaitMs));
  return wait_ms < 0 ? until_due : std::min(wait_ms, until_due);
}

void Worker::run_due() {
  now_ = read_clocks();
  while (StreamPair* pair = streams_.run_due(now_)) on_stream(*pair);
}

void Worker::run_commands() {
  for (int i = 0; i < kCommandsPerTurn; ++i) {
    auto command = inbox_.try_pop();
    if (!command) return;
    statistics_.commands.add();
    std::visit([this](auto&& what) { on(std::forward<decltype(what)>(what)); }, std::move(*command));
  }
}

void Worker::on(flow::Installation installation) {
  const flow::FlowPlan& plan = *installation.plan;
  if (Connection* before = connections_.find(plan.id)) streams_.before_install(*before, plan, installation.sockets);
  Closed closed;
  Connection& connection = connections_.install(plan, std::move(installation.sockets), now_, closed);
  watch(connection);
  streams_.after_install(connection, plan, now_);
  close(std::move(closed));
}

void Worker::on(const Remove& command) {
  if (Connection* connection = connections_.find(command.connection)) streams_.remove(*connection);
  Closed closed;
  connections_.remove(command.connection, closed);
  close(std::move(closed));
  tell(flow::Removed{command.connection});
}

// The sockets stay open: what arrives until another worker watches them waits in the kernel.
void Worker::on(const Release& command) {
  auto connection = connections_.release(command.connection);
  if (connection) {
    MR_CHECK(!connection->streams);   // streams are never forked, so nothing moves them
    for (MediaPort& port : connection->ports) {
      if (!std::exchange(port.watched, false)) continue;
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, port.socket.get(), nullptr);
    }
  }
  tell(Released{command.connection, std::move(connection)});
}

void Worker::on(Adopt command) { watch(connections_.adopt(std::move(command.connection))); }

void Worker::watch(Connection& connection) {
  for (MediaPort& port : connection.ports) {
    if (!port.open || !port.socket || flow::is_stream(port.transport)) continue;
    mark(port);
    if (port.watched) continue;
    epoll_event readable{.events = EPOLLIN, .data = {.ptr = static_cast<Watchable*>(&port)}};
    port.watched = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, port.socket.get(), &readable) == 0;
    if (!port.watched) statistics_.sockets_failed.add();
  }
}

// One system call each, and only where the plan wants another mark than the socket has.
void Worker::mark(MediaPort& port) {
  const net::Family family = port.local.address.family();
  if (port.tos != port.marked_tos) {
    if (!net::set_tos(port.socket.get(), family, port.tos)) statistics_.sockets_failed.add();
    port.marked_tos = port.tos;
  }
  if (port.ttl != port.marked_ttl) {
    if (!net::set_ttl(port.socket.get(), family, port.ttl)) statistics_.sockets_failed.add();
    port.marked_ttl = port.ttl;
  }
}

void Worker::close(Closed closed) {
  for (net::UniqueFd& socket : closed.sockets) socket = net::UniqueFd{};   // closing takes them out of the epoll set
  for (const net::Endpoint& rtp : closed.pairs) tell(flow::PortClosed{rtp});
}

// No command runs between epoll_wait and here, so the port is still what it was.
void Worker::on_event(const epoll_event& event) {
  auto* const watched = static_cast<Watchable*>(event.data.ptr);
  if (watched == nullptr) return silence_bell(event_.get());
  if (watched->watched_as == Watched::stream) {
    auto& end = static_cast<StreamEnd&>(*watched);
    streams_.on_event(end, event.events, now_);
    return on_stream(*end.pair);
  }
  MediaPort& port = static_cast<MediaPort&>(*watched);
  if (watched->watched_as == Watched::listener) return streams_.on_listener(port, now_);
  if ((event.events & EPOLLERR) != 0) clear_error(port.socket.get());
  if ((event.events & EPOLLIN) != 0) on_readable(port);
}

// One read an event: the set is level-triggered, so what is left is reported again, and nobody pays for a read that
// finds nothing. A call's port has one packet every 20 ms.
void Worker::on_readable(MediaPort& port) {
  // The command that completes the connection may have come after this turn's commands: its answer has left by then,
  // and the peer may talk already. The packet waits for the next turn, which begins with the inbox.
  if (!port.connection->complete && !inbox_.empty()) return;

  Datagram in;
  if (!receive(port.socket.get(), buffer_, in)) return;
  forward(port, in);
}

void Worker::forward(MediaPort& port, const Datagram& in) {
  statistics_.packets_in.add();
  sends_.clear();
  const auto dropped = relay_.on_datagram(port, in, now_, sends_);
  if (dropped == flow::Drop::no_destination && port.connection->streams) {
    streams_.want_destination(*port.connection, now_);
  }
  for (Send& send : sends_) {
    if (flow::is_stream(send.out->transport)) {
      streams_.send(send, now_);
    } else {
      send.sent = transmit(send.out->socket.get(), send.out->destination, send.bytes);
    }
    if (send.sent) statistics_.packets_out.add();
  }
  // TCP gives no stamp while the kernel has yet to turn stamping on, which it does in its own time: then the turn's clock
  // stands for it, and is not the time of sending, too.
  const WallTime sent_at = flow::is_stream(port.transport) ? read_clocks().wall : now_.wall;
  const auto latency = relay_.on_sent(port, in, sends_, sent_at);
  if (latency) statistics_.latency.record(*latency);
}

void Worker::on_stream(StreamPair& pair) {
  while (auto arrived = streams_.next_packet(pair)) forward(*arrived->port, arrived->in);
  streams_.settle(pair, now_);
}

void Worker::tell_control() {
  bool told = false;
  while (!kept_back_.empty() && outbox_.try_push(std::move(kept_back_.front()))) {
    kept_back_.pop_front();
    told = true;
  }
  while (MediaPort* port = connections_.changed()) {
    WorkerEvent event{flow::RemoteChanged{port->connection->id, port->slot, port->latch.state()}};
    if (!outbox_.try_push(std::move(event))) break;  // states what is: the port stays listed, the next turn tells
    connections_.changed_was_told();
    told = true;
  }
  if (told) ring_bell(control_event_);
}

}  // namespace millrace::dataplane
