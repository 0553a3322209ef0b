#include "dataplane/socket/socket_engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <csignal>

#include "dataplane/socket/socket_testing.hpp"
#include "net/tcp.hpp"

namespace millrace::dataplane {
namespace {

using flow::Count;
using flow::Slot;
using testing::Call;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Listener;
using testing::LiveCall;
using testing::Peer;
using testing::rtp_packet;
using testing::socket_at;
using ::testing::UnorderedElementsAre;

flow::Installation without_sockets(const Call& call) { return call.installation({}); }

// Two workers that run when the test says so.
class SocketEngineTest : public ::testing::Test {
 protected:
  void run_worker(std::size_t worker, int turns = 1) {
    for (int i = 0; i < turns; ++i) engine_->workers()[worker]->run_turn(0);
  }
  void turn() { engine_->turn(listener_); }
  // Until everybody has heard everything.
  void settle() {
    for (int i = 0; i < 8; ++i) {
      turn();
      run_worker(0);
      run_worker(1);
    }
    turn();
  }
  std::uint64_t commands() const {
    return engine_->workers()[0]->statistics().commands.value() + engine_->workers()[1]->statistics().commands.value();
  }

  flow::CounterArena arena_;
  Listener listener_;
  std::unique_ptr<SocketEngine> engine_ = SocketEngine::create({.workers = 2}, SocketEngine::Threads::none).value();
};

TEST_F(SocketEngineTest, spreads_connections_over_the_workers) {
  for (std::uint64_t id = 1; id <= 6; ++id) engine_->install(without_sockets(Call{arena_, id}));
  EXPECT_EQ(engine_->load(0), 3u);
  EXPECT_EQ(engine_->load(1), 3u);
  for (std::uint64_t id = 1; id <= 6; id += 2) engine_->remove(ConnectionId{id});
  settle();
  EXPECT_EQ(engine_->load(0) + engine_->load(1), 3u);
  EXPECT_EQ(listener_.removed.size(), 3u);
}

TEST_F(SocketEngineTest, puts_joined_connections_on_one_worker_in_whichever_order_they_come) {
  Call first{arena_, 1}, second{arena_, 2}, third{arena_, 3};
  second.plan.beside = ConnectionId{1};
  third.plan.beside = ConnectionId{4};   // comes later
  engine_->install(without_sockets(first));
  engine_->install(without_sockets(second));
  EXPECT_EQ(engine_->load(0), 2u);
  engine_->install(without_sockets(third));
  engine_->install(without_sockets(Call{arena_, 4}));
  EXPECT_EQ(engine_->load(1), 2u);
}

TEST_F(SocketEngineTest, plans_of_one_batch_reach_the_worker_as_one) {
  LiveCall call{arena_, 1};
  engine_->install(call.take_installation());
  engine_->install(call.take_installation());   // brings no sockets: those of the first are still wanted
  settle();
  EXPECT_EQ(commands(), 1u);
  EXPECT_FALSE(socket_at(call.local(Slot::offerer_rtp)));
  EXPECT_THAT(listener_.closed, IsEmpty());
}

TEST_F(SocketEngineTest, a_port_that_was_renewed_before_the_worker_saw_it_is_given_back) {
  LiveCall call{arena_, 1};
  const auto old = call.local(Slot::offerer_rtp);
  const auto old_rtcp = call.local(Slot::offerer_rtcp);
  engine_->install(call.take_installation());
  call.renew(Slot::offerer_rtp);
  call.renew(Slot::offerer_rtcp);
  engine_->install(call.take_installation());
  settle();
  EXPECT_THAT(listener_.closed, ElementsAre(old));
  EXPECT_TRUE(socket_at(old));
  EXPECT_TRUE(socket_at(old_rtcp));
  EXPECT_FALSE(socket_at(call.local(Slot::offerer_rtp)));
}

TEST_F(SocketEngineTest, what_no_worker_has_heard_of_ends_without_one) {
  LiveCall call{arena_, 1};
  engine_->install(call.take_installation());
  engine_->remove(ConnectionId{1});
  engine_->remove(ConnectionId{1});
  turn();
  EXPECT_THAT(listener_.closed, ElementsAre(call.local(Slot::offerer_rtp), call.local(Slot::answerer_rtp)));
  EXPECT_THAT(listener_.removed, ElementsAre(ConnectionId{1}));
  EXPECT_TRUE(socket_at(call.local(Slot::answerer_rtcp)));
  settle();
  EXPECT_EQ(commands(), 0u);
}

TEST_F(SocketEngineTest, removes_what_a_worker_has_and_what_was_still_on_its_way) {
  LiveCall call{arena_, 1};
  engine_->install(call.take_installation());
  settle();
  const auto old = call.local(Slot::offerer_rtp);
  call.renew(Slot::offerer_rtp);
  engine_->install(call.take_installation());
  engine_->remove(ConnectionId{1});
  engine_->install(without_sockets(call.plan));   // too late: its end was asked for
  settle();
  EXPECT_THAT(listener_.closed,
              UnorderedElementsAre(call.local(Slot::offerer_rtp), old, call.local(Slot::answerer_rtp)));
  EXPECT_THAT(listener_.removed, ElementsAre(ConnectionId{1}));
  EXPECT_EQ(engine_->load(0) + engine_->load(1), 0u);
}

TEST_F(SocketEngineTest, a_full_ring_loses_neither_plans_nor_removes) {
  constexpr std::size_t kCalls = 2 * 2 * kInboxSize + 50;   // two workers: each ring twice over
  Call call{arena_};
  for (std::uint64_t id = 1; id <= kCalls; ++id) {
    call.plan.id = ConnectionId{id};
    engine_->install(without_sockets(call));
  }
  turn();
  EXPECT_TRUE(engine_->accepts_new());
  for (std::uint64_t id = 1; id <= kCalls; ++id) engine_->remove(ConnectionId{id});
  for (int i = 0; i < 2000 && listener_.removed.size() < kCalls; ++i) {
    turn();
    run_worker(0);
    run_worker(1);
  }
  EXPECT_EQ(listener_.removed.size(), kCalls);
}

TEST_F(SocketEngineTest, refuses_new_connections_while_too_much_is_under_way) {
  Call call{arena_};
  for (std::uint64_t id = 1; id <= kMaxWaiting; ++id) {
    EXPECT_TRUE(engine_->accepts_new());
    call.plan.id = ConnectionId{id};
    engine_->install(without_sockets(call));
  }
  EXPECT_FALSE(engine_->accepts_new());
  turn();
  EXPECT_TRUE(engine_->accepts_new());
}

TEST_F(SocketEngineTest, a_worker_with_a_full_ring_says_when_there_is_room) {
  Call call{arena_};
  for (std::uint64_t id = 1; id <= 2 * kInboxSize + 2; ++id) {
    call.plan.id = ConnectionId{id};
    for (auto& port : call.plan.ports) port.signalled = {};   // no event but the one that is looked for
    engine_->install(without_sockets(call));
  }
  turn();
  pollfd bell{.fd = engine_->event_fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&bell, 1, 0), 0);
  run_worker(0);
  EXPECT_EQ(::poll(&bell, 1, 0), 1);
}

TEST_F(SocketEngineTest, a_connection_that_changes_workers_loses_nothing) {
  LiveCall call{arena_, 1}, other{arena_, 2};
  engine_->install(call.take_installation());    // on worker 0
  engine_->install(other.take_installation());   // on worker 1
  settle();
  Peer behind_nat{"127.0.0.1"};
  behind_nat.send(rtp_packet(1), other.local(Slot::offerer_rtp));
  settle();
  ASSERT_EQ(other.answerer.receive(0), rtp_packet(1));

  // Connection 1 sends to a party of connection 2 as well, so 2 moves to where 1 is.
  other.plan.plan.beside = ConnectionId{1};
  engine_->install(other.take_installation());
  call.plan.port(Slot::offerer_rtp).egresses.push_back({ConnectionId{2}, Slot::answerer_rtp});
  engine_->install(call.take_installation());
  EXPECT_EQ(engine_->load(0), 2u);
  turn();
  run_worker(1);   // has released it: nobody watches the sockets
  behind_nat.send(rtp_packet(2), other.local(Slot::offerer_rtp));
  run_worker(0);
  EXPECT_EQ(other.answerer.receive(0), std::nullopt);
  settle();
  EXPECT_EQ(other.answerer.receive(0), rtp_packet(2));

  other.answerer.send(rtp_packet(3), other.local(Slot::answerer_rtp));
  settle();
  EXPECT_EQ(behind_nat.receive(0), rtp_packet(3));   // still known
  call.offerer.send(rtp_packet(4), call.local(Slot::offerer_rtp));
  settle();
  EXPECT_EQ(call.answerer.receive(0), rtp_packet(4));
  EXPECT_EQ(other.answerer.receive(0), rtp_packet(4));
  EXPECT_EQ(other.plan.sample(Slot::offerer_rtp)[Count::rtp_received], 2u);
  EXPECT_THAT(listener_.closed, IsEmpty());
}

TEST_F(SocketEngineTest, whoever_is_beside_a_connection_moves_along) {
  Call first{arena_, 1}, second{arena_, 2}, third{arena_, 3};
  engine_->install(without_sockets(first));    // worker 0
  engine_->install(without_sockets(second));   // worker 1
  third.plan.beside = ConnectionId{2};
  engine_->install(without_sockets(third));
  settle();
  second.plan.beside = ConnectionId{1};
  engine_->install(without_sockets(second));
  EXPECT_EQ(engine_->load(0), 3u);
  settle();
  for (std::uint64_t id = 1; id <= 3; ++id) engine_->remove(ConnectionId{id});
  settle();
  EXPECT_EQ(listener_.removed.size(), 3u);
}

TEST_F(SocketEngineTest, removes_a_connection_in_the_middle_of_its_move) {
  LiveCall call{arena_, 1}, other{arena_, 2};
  engine_->install(call.take_installation());
  engine_->install(other.take_installation());
  settle();
  other.plan.plan.beside = ConnectionId{1};
  engine_->install(other.take_installation());
  turn();   // asks for it back
  engine_->remove(ConnectionId{2});
  settle();
  EXPECT_THAT(listener_.removed, ElementsAre(ConnectionId{2}));
  EXPECT_THAT(listener_.closed, ElementsAre(other.local(Slot::offerer_rtp), other.local(Slot::answerer_rtp)));
  EXPECT_TRUE(socket_at(other.local(Slot::offerer_rtp)));
}

TEST_F(SocketEngineTest, does_not_carry_more_egresses_than_a_port_may_have) {
  Call call{arena_};
  call.port(Slot::offerer_rtp).egresses.assign(flow::kMaxEgresses, {ConnectionId{1}, Slot::answerer_rtp});
  EXPECT_TRUE(engine_->supports(call.plan));
  call.port(Slot::offerer_rtp).egresses.push_back({ConnectionId{1}, Slot::answerer_rtp});
  EXPECT_FALSE(engine_->supports(call.plan));
}

// With the workers' own threads.
class RunningEngineTest : public ::testing::Test {
 protected:
  // Turns as the control loop does, until `done` or ten seconds have passed.
  template <class Condition>
  bool wait_until(Condition done) {
    for (int i = 0; i < 1000 && !done(); ++i) {
      pollfd bell{.fd = engine_->event_fd(), .events = POLLIN, .revents = 0};
      ::poll(&bell, 1, 10);
      engine_->turn(listener_);
    }
    return done();
  }

  flow::CounterArena arena_;
  Listener listener_;
  std::unique_ptr<SocketEngine> engine_ = SocketEngine::create({.workers = 2, .pin = true}).value();
};

TEST_F(RunningEngineTest, relays_while_calls_come_join_and_go) {
  constexpr std::uint64_t kCalls = 40;
  std::vector<std::unique_ptr<LiveCall>> calls;
  for (std::uint64_t id = 1; id <= kCalls; ++id) {
    calls.push_back(std::make_unique<LiveCall>(arena_, id));
    engine_->install(calls.back()->take_installation());
  }
  engine_->turn(listener_);

  // Media goes on the whole time; control turns while the peers wait, because a move needs it.
  const auto relays_a_round = [&](std::uint16_t sequence) {
    const auto packet = rtp_packet(sequence);
    for (const auto& call : calls) {
      call->offerer.send(packet, call->local(Slot::offerer_rtp));
      call->answerer.send(packet, call->local(Slot::answerer_rtp));
    }
    return std::ranges::all_of(calls, [&](const auto& call) {
      std::optional<std::vector<std::byte>> there, back;
      return wait_until([&] {
        if (!there) there = call->answerer.receive(0);
        if (!back) back = call->offerer.receive(0);
        return there == packet && back == packet;
      });
    });
  };
  EXPECT_TRUE(relays_a_round(1));
  // Every second one is joined to the one before it, which lives on the other worker.
  for (std::size_t i = 1; i < kCalls; i += 2) {
    calls[i]->plan.plan.beside = calls[i - 1]->plan.plan.id;
    engine_->install(calls[i]->take_installation());
    if (i % 8 == 1) engine_->turn(listener_);
  }
  EXPECT_TRUE(relays_a_round(2));
  EXPECT_TRUE(relays_a_round(3));
  for (const auto& call : calls) {
    EXPECT_EQ(call->plan.sample(Slot::offerer_rtp)[Count::rtp_lost], 0u);
    engine_->remove(call->plan.plan.id);
  }
  EXPECT_TRUE(wait_until([&] { return listener_.removed.size() == kCalls; }));
  EXPECT_EQ(listener_.closed.size(), 2 * kCalls);
}

TEST_F(RunningEngineTest, tells_control_of_streams_while_they_come_and_go) {
  ::signal(SIGPIPE, SIG_IGN);
  const auto any = testing::any_port("127.0.0.1");
  const auto destination = net::listen_tcp(any).value();
  Call call{arena_};
  std::erase_if(call.plan.ports, [](const auto& port) { return flow::is_rtcp(port.slot); });
  std::array<net::UniqueFd, flow::kSlots> sockets;
  for (const Slot slot : {Slot::offerer_rtp, Slot::answerer_rtp}) {
    auto& socket = sockets[static_cast<std::size_t>(slot)];
    socket = (slot == Slot::offerer_rtp ? net::listen_tcp(any) : net::reserve_tcp(any)).value();
    call.port(slot).local = net::local_endpoint(socket.get()).value();
    call.port(slot).transport = flow::Transport::stream;
    call.port(slot).signalled = net::local_endpoint(destination.get()).value();
  }
  engine_->install(call.installation(std::move(sockets)));
  engine_->turn(listener_);
  constexpr std::size_t kClients = 20;
  for (std::size_t i = 0; i < kClients; ++i) {
    auto client = net::connect_tcp(any, call.port(Slot::offerer_rtp).local).value();
    net::UniqueFd accepted;
    ASSERT_TRUE(wait_until([&] {
      if (!accepted) accepted = net::UniqueFd{::accept4(destination.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      return static_cast<bool>(accepted);
    }));
    ASSERT_EQ(::send(client.get(), "hello", 5, MSG_NOSIGNAL), 5);
    std::array<char, 16> bytes{};
    ssize_t received = -1;
    ASSERT_TRUE(wait_until([&] {
      if (received < 0) received = ::recv(accepted.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
      return received == 5;
    }));
    (void)call.sample(Slot::offerer_rtp);
    client = {};
    accepted = {};
    ASSERT_TRUE(wait_until([&] { return listener_.streams.size() == 1 + 3 * (i + 1); }));
    EXPECT_EQ(listener_.streams.back().state, flow::StreamState::waiting);
  }
  EXPECT_EQ(call.sample(Slot::offerer_rtp)[Count::bytes_in], 5 * kClients);
  engine_->remove(call.plan.id);
  EXPECT_TRUE(wait_until([&] { return listener_.removed.size() == 1; }));
  EXPECT_EQ(listener_.closed.size(), 2u);
}

TEST_F(RunningEngineTest, stops_with_calls_alive) {
  LiveCall call{arena_, 1};
  engine_->install(call.take_installation());
  engine_->turn(listener_);
  call.offerer.send(rtp_packet(1), call.local(Slot::offerer_rtp));
  EXPECT_EQ(call.answerer.receive(10'000), rtp_packet(1));
  engine_->stop();
  engine_.reset();
  EXPECT_TRUE(socket_at(call.local(Slot::offerer_rtp)));
}

}  // namespace
}  // namespace millrace::dataplane
