#pragma once
// The userspace engine: carries every plan, on UDP sockets, with one worker a core. Control thread only. It decides
// which worker owns a connection and keeps what does not fit into a worker's ring: of each connection the latest
// plan, and every socket that came with an earlier one.
//
// install() and remove() only write down what is wanted; turn() hands it out. So several plans of a connection
// within one batch of commands reach the worker as one, and each worker is woken at most once a turn.

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <deque>
#include <expected>
#include <memory>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "dataplane/engine.hpp"
#include "dataplane/socket/settings.hpp"
#include "dataplane/socket/worker.hpp"

namespace millrace::dataplane {

// With this many connections that a worker has yet to hear of, new ones are refused.
inline constexpr std::size_t kMaxWaiting = 4 * kInboxSize;

class SocketEngine final : public Engine {
 public:
  // The workers' threads start at once; a test may drive them by hand instead.
  enum class Threads : std::uint8_t { started, none };
  static std::expected<std::unique_ptr<SocketEngine>, SysError> create(const Settings& settings,
                                                                       Threads threads = Threads::started);
  ~SocketEngine() override;

  [[nodiscard]] std::string_view name() const override { return "socket"; }
  [[nodiscard]] bool supports(const flow::FlowPlan& plan) const override;
  [[nodiscard]] bool accepts_new() const override { return queue_.size() < kMaxWaiting; }
  void install(flow::Installation installation) override;
  void remove(ConnectionId id) override;
  void hand_over(EventSink& sink) override;
  void wake() override;
  [[nodiscard]] int event_fd() const override { return event_.get(); }

  // Ends the threads; what they carried stops, its sockets close with the engine.
  void stop();
  [[nodiscard]] std::span<const std::unique_ptr<Worker>> workers() const { return workers_; }
  // Connections that a worker carries or is about to.
  [[nodiscard]] std::size_t load(std::size_t worker) const { return load_[worker]; }

 private:
  using WorkerIndex = std::uint16_t;
  // What is known of a connection, and what its worker has yet to hear.
  struct Placed {
    WorkerIndex worker = 0;   // where its state is, or is sent next
    WorkerIndex home = 0;     // where it belongs; another one while it moves
    bool known = false;       // `worker` has heard of it
    bool releasing = false;   // `worker` was asked to hand it back; until then there is nothing to say
    bool queued = false;      // listed in queue_
    bool removing = false;
    std::optional<ConnectionId> beside;
    std::unique_ptr<Connection> adoption;  // state on its way from one worker to another
    flow::Installation pending;            // no plan: nothing new
  };
  using PlacedMap = absl::flat_hash_map<ConnectionId, Placed, StrongHash>;

  explicit SocketEngine(net::UniqueFd event) : event_{std::move(event)} {}
  [[nodiscard]] WorkerIndex choose_home(ConnectionId id, const std::optional<ConnectionId>& beside) const;
  void set_beside(ConnectionId id, Placed& placed, const std::optional<ConnectionId>& beside);
  void move(ConnectionId id, WorkerIndex home);
  void merge(Placed& placed, flow::Installation next);
  void discard(flow::Installation installation);
  void queue(ConnectionId id, Placed& placed);
  void push_all();
  [[nodiscard]] bool push(ConnectionId id, Placed& placed);
  template <class Command>
  [[nodiscard]] bool post(const Placed& placed, Command& command);
  void take_events(Worker& worker, EventSink& sink);
  void deliver_own(EventSink& sink);
  void on_released(Released released);
  void forget(ConnectionId id);

  net::UniqueFd event_;   // the workers' way to wake control; they end before it does
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::size_t> load_;
  std::vector<bool> to_wake_;
  PlacedMap placed_;
  absl::flat_hash_map<ConnectionId, std::vector<ConnectionId>, StrongHash> joined_;  // who is beside the key
  std::deque<ConnectionId> queue_;   // who has something to tell its worker, oldest first
  std::deque<std::variant<flow::PortClosed, flow::Removed>> own_events_;  // about what never reached a worker
};

}  // namespace millrace::dataplane
