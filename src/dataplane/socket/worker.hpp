#pragma once
// Moves packets for the connections of one core: a thread, an epoll set, a heap of deadlines, two rings. A turn is a
// few commands, then packets, then what is due, then what control has to be told. Everything runs on the worker's own thread but what says otherwise.
// Nothing is locked; commands may allocate, packets never do.

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <deque>
#include <expected>
#include <memory>
#include <optional>
#include <thread>

#include "base/error.hpp"
#include "base/spsc_ring.hpp"
#include "dataplane/socket/connections.hpp"
#include "dataplane/socket/datagram_io.hpp"
#include "dataplane/socket/messages.hpp"
#include "dataplane/socket/relay.hpp"
#include "dataplane/socket/statistics.hpp"
#include "dataplane/socket/streams.hpp"

namespace millrace::dataplane {

inline constexpr int kCommandsPerTurn = 64;  // about 1 ms of set-ups: media never waits longer for them
inline constexpr std::size_t kPipes = 256;  // of a worker, for streams
inline constexpr int kEventsPerTurn = 64;  // about 0.25 ms of packets: commands never wait longer for them

class Worker {
 public:
  // `control_event`: an eventfd that wakes control; it outlives the worker. `pipes`: how many streams may use one.
  static std::expected<std::unique_ptr<Worker>, SysError> create(unsigned number, int control_event,
                                                                 std::size_t pipes = kPipes);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Control thread. post() says false when the inbox is full and leaves `command` alone: try on the next turn.
  [[nodiscard]] bool post(WorkerCommand&& command) { return inbox_.try_push(std::move(command)); }
  void wake();  // after the posts of a turn, once
  void tell_when_there_is_room() { room_wanted_.store(true, std::memory_order_release); }  // then wake()
  [[nodiscard]] std::optional<WorkerEvent> next_event() { return outbox_.try_pop(); }
  // `cpu`: the only one that the thread may use. A thread that cannot be started ends the process: there are few,
  // and this is the start.
  void start(std::optional<unsigned> cpu);
  void stop();  // joins; the sockets close with the worker

  // Any thread.
  [[nodiscard]] const WorkerStatistics& statistics() const { return statistics_; }
  [[nodiscard]] const DropCounts& drops() const { return relay_.drops(); }
  // The worker's thread, or a test's that drives it.
  [[nodiscard]] const Streams& streams() const { return streams_; }

  // Waits for something to do, at most `wait_ms` (-1: for ever), and does it. start() runs it over and over; a test
  // may in its stead.
  void run_turn(int wait_ms);

 private:
  Worker(unsigned number, net::UniqueFd epoll, net::UniqueFd event, int control_event, std::size_t pipes);

  void run();
  void run_commands();
  void on(std::monostate) {}
  void on(flow::Installation installation);
  void on(const Remove& command);
  void on(const Release& command);
  void on(Adopt command);
  void watch(Connection& connection);
  void mark(MediaPort& port);
  void close(Closed closed);
  void on_event(const epoll_event& event);
  void on_readable(MediaPort& port);
  void on_stream(StreamPair& pair);
  void forward(MediaPort& port, const Datagram& in);
  [[nodiscard]] int wait_until_due(int wait_ms) const;
  void run_due();
  void tell(WorkerEvent event) { kept_back_.push_back(std::move(event)); }
  void tell_control();

  const unsigned number_;
  const int control_event_;
  net::UniqueFd epoll_, event_;  // event_ wakes this worker
  std::atomic<bool> stopping_{false};
  std::atomic<bool> room_wanted_{false};
  std::thread thread_;
  SpscRing<WorkerCommand, kInboxSize> inbox_;
  SpscRing<WorkerEvent, kOutboxSize> outbox_;
  std::deque<WorkerEvent> kept_back_;  // of commands, in order; goes into outbox_ as it has room

  Now now_{};
  Connections connections_;
  Relay relay_{connections_};
  Sends sends_;
  ReceiveBuffer buffer_;
  std::array<epoll_event, kEventsPerTurn> events_{};
  WorkerStatistics statistics_;
  Streams streams_;
};

}  // namespace millrace::dataplane
