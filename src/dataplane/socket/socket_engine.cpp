#include "dataplane/socket/socket_engine.hpp"

#include <sched.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace millrace::dataplane {
namespace {

// The CPUs that the process may use: a container or taskset may leave fewer than the machine has.
std::vector<unsigned> usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<unsigned> cpus;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    }
  }
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

const flow::PortPlan* plan_of(const flow::FlowPlan& plan, std::size_t slot) {
  const auto found = std::ranges::find(plan.ports, static_cast<flow::Slot>(slot), &flow::PortPlan::slot);
  return found == plan.ports.end() ? nullptr : &*found;
}

}  // namespace

std::expected<std::unique_ptr<SocketEngine>, SysError> SocketEngine::create(const Settings& settings, Threads threads) {
  net::UniqueFd event{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  if (!event) return std::unexpected{sys_error("eventfd")};
  std::unique_ptr<SocketEngine> engine{new SocketEngine{std::move(event)}};

  const auto cpus = usable_cpus();
  const std::size_t count = settings.workers != 0 ? settings.workers : cpus.size();
  for (unsigned i = 0; i < count; ++i) {
    auto worker = Worker::create(i, engine->event_.get(), settings.pipes);
    if (!worker) return std::unexpected{std::move(worker.error())};
    engine->workers_.push_back(std::move(*worker));
  }
  engine->load_.resize(count);
  engine->to_wake_.resize(count);
  if (threads == Threads::none) return engine;
  for (unsigned i = 0; i < count; ++i) {
    engine->workers_[i]->start(settings.pin ? std::optional{cpus[i % cpus.size()]} : std::nullopt);
  }
  return engine;
}

SocketEngine::~SocketEngine() { stop(); }

void SocketEngine::stop() {
  for (const auto& worker : workers_) worker->stop();
}

bool SocketEngine::supports(const flow::FlowPlan& plan) const {
  return std::ranges::all_of(plan.ports, [](const auto& port) { return port.egresses.size() <= flow::kMaxEgresses; });
}

void SocketEngine::install(flow::Installation installation) {
  const ConnectionId id = installation.plan->id;
  const auto beside = installation.plan->beside;
  const auto [found, fresh] = placed_.try_emplace(id);
  Placed& placed = found->second;
  if (placed.removing) return discard(std::move(installation));   // its end was asked for and stands

  set_beside(id, placed, beside);
  merge(placed, std::move(installation));
  if (fresh) {
    placed.worker = placed.home = choose_home(id, beside);
    ++load_[placed.home];
  } else if (beside) {
    const auto other = placed_.find(*beside);
    if (other != placed_.end()) move(id, other->second.home);
  }
  queue(id, placed);
}

void SocketEngine::remove(ConnectionId id) {
  const auto found = placed_.find(id);
  if (found == placed_.end() || std::exchange(found->second.removing, true)) return;
  discard(std::move(found->second.pending));
  queue(id, found->second);
}

// A fork's packets leave through the other connection's ports, so both live on one worker; else the emptiest one.
SocketEngine::WorkerIndex SocketEngine::choose_home(ConnectionId id, const std::optional<ConnectionId>& beside) const {
  if (beside) {
    const auto other = placed_.find(*beside);
    if (other != placed_.end()) return other->second.home;
  }
  if (const auto joined = joined_.find(id); joined != joined_.end()) {
    return placed_.at(joined->second.front()).home;
  }
  return static_cast<WorkerIndex>(std::ranges::min_element(load_) - load_.begin());
}

void SocketEngine::set_beside(ConnectionId id, Placed& placed, const std::optional<ConnectionId>& beside) {
  if (placed.beside == beside) return;
  if (placed.beside) {
    const auto list = joined_.find(*placed.beside);
    std::erase(list->second, id);
    if (list->second.empty()) joined_.erase(list);
  }
  if (beside) joined_[*beside].push_back(id);
  placed.beside = beside;
}

// And with it whoever is to be beside it.
void SocketEngine::move(ConnectionId id, WorkerIndex home) {
  Placed& placed = placed_.at(id);
  if (placed.home == home || placed.removing) return;
  --load_[placed.home];
  ++load_[home];
  placed.home = home;
  queue(id, placed);
  const auto joined = joined_.find(id);
  if (joined == joined_.end()) return;
  for (const ConnectionId follower : joined->second) move(follower, home);
}

// The newer plan counts; sockets that came with the older one and are still wanted go along.
void SocketEngine::merge(Placed& placed, flow::Installation next) {
  if (placed.pending.plan) {
    for (std::size_t slot = 0; slot < flow::kSlots; ++slot) {
      if (next.sockets[slot] || !placed.pending.sockets[slot]) continue;
      const flow::PortPlan* before = plan_of(*placed.pending.plan, slot);
      const flow::PortPlan* now = plan_of(*next.plan, slot);
      if (before == nullptr || now == nullptr || now->local != before->local) continue;
      next.sockets[slot] = std::exchange(placed.pending.sockets[slot], net::UniqueFd{});
    }
    discard(std::move(placed.pending));
  }
  placed.pending = std::move(next);
}

// Of a plan that no worker has seen: closes its sockets and lets their ports rest.
void SocketEngine::discard(flow::Installation installation) {
  for (std::size_t slot = 0; slot < flow::kSlots; ++slot) {
    if (!installation.sockets[slot]) continue;
    installation.sockets[slot] = net::UniqueFd{};
    const flow::PortPlan* plan = plan_of(*installation.plan, slot);
    if (plan == nullptr || flow::is_rtcp(plan->slot)) continue;
    installation.sockets[slot + 1] = net::UniqueFd{};   // the pair rests when both are closed
    own_events_.push_back(flow::PortClosed{plan->local});
  }
}

void SocketEngine::queue(ConnectionId id, Placed& placed) {
  if (!std::exchange(placed.queued, true)) queue_.push_back(id);
}

void SocketEngine::hand_over(EventSink& sink) {
  std::uint64_t rings = 0;
  [[maybe_unused]] const ssize_t read = ::read(event_.get(), &rings, sizeof rings);
  for (const auto& worker : workers_) take_events(*worker, sink);
  do {
    deliver_own(sink);
    push_all();
  } while (!own_events_.empty());
}

// No more than a ring holds: a worker that talks without end must not keep control from its commands.
void SocketEngine::take_events(Worker& worker, EventSink& sink) {
  for (std::size_t i = 0; i < kOutboxSize; ++i) {
    auto event = worker.next_event();
    if (!event) return;
    if (auto* released = std::get_if<Released>(&*event)) {
      on_released(std::move(*released));
    } else if (const auto* removed = std::get_if<flow::Removed>(&*event)) {
      forget(removed->connection);
      sink.on(*removed);
    } else if (const auto* changed = std::get_if<flow::RemoteChanged>(&*event)) {
      sink.on(*changed);
    } else if (const auto* stream = std::get_if<flow::StreamChanged>(&*event)) {
      sink.on(*stream);
    } else if (const auto* closed = std::get_if<flow::PortClosed>(&*event)) {
      sink.on(*closed);
    }
  }
  const std::uint64_t one = 1;   // there may be more: come again
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
}

void SocketEngine::deliver_own(EventSink& sink) {
  while (!own_events_.empty()) {
    const auto event = own_events_.front();
    own_events_.pop_front();
    std::visit([&sink](const auto& what) { sink.on(what); }, event);
  }
}

void SocketEngine::on_released(Released released) {
  Placed& placed = placed_.at(released.id);
  placed.releasing = false;
  placed.known = false;
  placed.worker = placed.home;
  placed.adoption = std::move(released.connection);
  queue(released.id, placed);
}

void SocketEngine::push_all() {
  for (std::size_t left = queue_.size(); left > 0; --left) {
    const ConnectionId id = queue_.front();
    queue_.pop_front();
    const auto found = placed_.find(id);
    if (found == placed_.end()) continue;
    found->second.queued = false;
    if (!push(id, found->second)) queue(id, found->second);
  }
}

// Says what there is to say, in order; false when the ring is full. May end with the connection forgotten.
bool SocketEngine::push(ConnectionId id, Placed& placed) {
  if (placed.releasing) return true;
  if (placed.home != placed.worker && placed.known) {
    Release release{id};
    placed.releasing = post(placed, release);
    return placed.releasing;
  }
  placed.worker = placed.home;
  if (placed.adoption) {
    Adopt adopt{std::move(placed.adoption)};
    placed.known = post(placed, adopt);
    placed.adoption = std::move(adopt.connection);
    if (!placed.known) return false;
  }
  if (placed.removing && !placed.known) {
    own_events_.push_back(flow::Removed{id});
    forget(id);
    return true;
  }
  if (placed.removing) {
    Remove remove{id};
    return post(placed, remove);
  }
  if (placed.pending.plan == nullptr) return true;
  const bool posted = post(placed, placed.pending);
  placed.known = placed.known || posted;
  return posted;
}

// When the ring is full the command is the caller's again, and the worker says when there is room.
template <class Command>
bool SocketEngine::post(const Placed& placed, Command& command) {
  Worker& worker = *workers_[placed.worker];
  to_wake_[placed.worker] = true;
  WorkerCommand message{std::move(command)};
  if (worker.post(std::move(message))) return true;
  // A ring that is full leaves what it is offered alone. NOLINTNEXTLINE(bugprone-use-after-move)
  command = std::get<Command>(std::move(message));
  worker.tell_when_there_is_room();
  return false;
}

void SocketEngine::wake() {
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (!to_wake_[i]) continue;
    to_wake_[i] = false;
    workers_[i]->wake();
  }
}

void SocketEngine::forget(ConnectionId id) {
  const auto found = placed_.find(id);
  if (found == placed_.end()) return;
  set_beside(id, found->second, std::nullopt);
  --load_[found->second.home];
  placed_.erase(found);
}

}  // namespace millrace::dataplane
