// Real sockets on loopback, ports of the kernel's choice; every wait is for a condition, with a deadline.
#include "dataplane/socket/worker.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/eventfd.h>

#include "dataplane/socket/socket_testing.hpp"

namespace millrace::dataplane {
namespace {

using flow::Count;
using flow::Drop;
using flow::Slot;
using testing::LiveCall;
using testing::Peer;
using testing::rtp_packet;
using testing::socket_at;

class WorkerTest : public ::testing::Test {
 protected:
  void install(LiveCall& call) { ASSERT_TRUE(worker_->post(call.take_installation())); }
  void turn() { worker_->run_turn(0); }
  // Turns until the peer has something, for a second at most.
  std::optional<std::vector<std::byte>> relayed_to(Peer& peer) {
    for (int i = 0; i < 1000; ++i) {
      worker_->run_turn(1);
      if (auto bytes = peer.receive(0)) return bytes;
    }
    return std::nullopt;
  }
  template <class Event>
  std::vector<Event> events() {
    std::vector<Event> found;
    while (auto event = worker_->next_event()) {
      if (auto* wanted = std::get_if<Event>(&*event)) found.push_back(std::move(*wanted));
    }
    return found;
  }

  flow::CounterArena arena_;
  net::UniqueFd bell_{::eventfd(0, EFD_NONBLOCK)};
  std::unique_ptr<Worker> worker_ = Worker::create(0, bell_.get()).value();
};

TEST_F(WorkerTest, relays_both_ways_from_the_port_that_the_peer_knows) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    LiveCall call{arena_, 1, host, host};
    install(call);
    const auto packet = rtp_packet(1);
    call.offerer.send(packet, call.local(Slot::offerer_rtp));
    EXPECT_EQ(relayed_to(call.answerer), packet) << host;
    EXPECT_EQ(call.answerer.last_from, call.local(Slot::answerer_rtp)) << host;
    call.answerer.send(packet, call.local(Slot::answerer_rtp));
    EXPECT_EQ(relayed_to(call.offerer), packet) << host;
    EXPECT_EQ(call.offerer.last_from, call.local(Slot::offerer_rtp)) << host;
    ASSERT_TRUE(worker_->post(Remove{ConnectionId{1}}));
    turn();
  }
}

TEST_F(WorkerTest, relays_from_ipv4_to_ipv6) {
  LiveCall call{arena_, 1, "127.0.0.1", "::1"};
  install(call);
  const auto packet = rtp_packet(1);
  call.offerer.send(packet, call.local(Slot::offerer_rtp));
  EXPECT_EQ(relayed_to(call.answerer), packet);
}

TEST_F(WorkerTest, carries_8192_bytes_and_not_one_more) {
  LiveCall call{arena_, 1};
  install(call);
  const std::vector<std::byte> longest(flow::kMaxDatagram), longer(flow::kMaxDatagram + 1), empty;
  call.offerer.send(longer, call.local(Slot::offerer_rtp));
  call.offerer.send(longest, call.local(Slot::offerer_rtp));
  EXPECT_EQ(relayed_to(call.answerer), longest);
  EXPECT_EQ(call.plan.sample(Slot::offerer_rtp)[Drop::too_long], 1u);
  call.offerer.send(empty, call.local(Slot::offerer_rtp));
  EXPECT_EQ(relayed_to(call.answerer), empty);
}

TEST_F(WorkerTest, measures_from_the_kernels_stamp_how_long_a_packet_was_here) {
  LiveCall call{arena_, 1};
  install(call);
  call.offerer.send(rtp_packet(1), call.local(Slot::offerer_rtp));
  ASSERT_TRUE(relayed_to(call.answerer));
  const auto in = call.plan.sample(Slot::offerer_rtp);
  EXPECT_EQ(in[Count::latency_count], 1u);
  EXPECT_GT(in[Count::latency_sum_ns], 0u);
  EXPECT_EQ(worker_->statistics().latency.snapshot().samples, 1u);
  EXPECT_EQ(worker_->statistics().packets_in.value(), 1u);
  EXPECT_EQ(worker_->statistics().packets_out.value(), 1u);
}

TEST_F(WorkerTest, goes_on_when_nobody_listens_where_it_sends) {
  LiveCall call{arena_, 1};
  const auto packet = rtp_packet(1);
  {
    Peer gone{"127.0.0.1"};
    call.plan.port(Slot::answerer_rtp).signalled = gone.local;
  }
  install(call);
  for (int i = 0; i < 5; ++i) {
    call.offerer.send(packet, call.local(Slot::offerer_rtp));
    turn();
    turn();
  }
  EXPECT_EQ(call.plan.sample(Slot::offerer_rtp)[Count::packets_in], 5u);
  call.answerer.send(packet, call.local(Slot::answerer_rtp));
  EXPECT_EQ(relayed_to(call.offerer), packet);
}

TEST_F(WorkerTest, counts_what_the_kernel_refuses_to_send) {
  LiveCall call{arena_, 1};
  call.plan.port(Slot::answerer_rtp).signalled = testing::endpoint("[::1]:4000");   // out of an IPv4 socket
  install(call);
  call.offerer.send(rtp_packet(1), call.local(Slot::offerer_rtp));
  for (int i = 0; i < 1000 && worker_->drops()[Drop::send_failed] == 0; ++i) worker_->run_turn(1);
  EXPECT_EQ(call.plan.sample(Slot::offerer_rtp)[Drop::send_failed], 1u);
  EXPECT_EQ(worker_->statistics().packets_out.value(), 0u);
}

TEST_F(WorkerTest, marks_what_leaves_as_the_plan_says_and_again_when_it_changes) {
  LiveCall call{arena_, 1};
  auto& port = call.plan.port(Slot::answerer_rtp);
  port.tos = 0xb8;
  port.ttl = 33;
  install(call);
  turn();
  const auto option = [&](int name) {
    int value = 0;
    socklen_t length = sizeof value;
    EXPECT_EQ(::getsockopt(call.fd(Slot::answerer_rtp), IPPROTO_IP, name, &value, &length), 0);
    return value;
  };
  EXPECT_EQ(option(IP_TOS), 0xb8);
  EXPECT_EQ(option(IP_TTL), 33);
  port.tos = 0;
  install(call);
  turn();
  EXPECT_EQ(option(IP_TOS), 0);
  EXPECT_EQ(worker_->statistics().sockets_failed.value(), 0u);
}

TEST_F(WorkerTest, says_that_a_port_is_closed_only_when_it_can_be_bound_again) {
  LiveCall call{arena_, 1};
  install(call);
  turn();
  EXPECT_FALSE(socket_at(call.local(Slot::offerer_rtp)));
  ASSERT_TRUE(worker_->post(Remove{ConnectionId{1}}));
  turn();
  std::vector<std::string> order;
  while (auto event = worker_->next_event()) {
    if (const auto* closed = std::get_if<flow::PortClosed>(&*event)) order.push_back(closed->local.to_string());
    if (std::holds_alternative<flow::Removed>(*event)) order.push_back("removed");
  }
  const std::vector<std::string> expected{call.local(Slot::offerer_rtp).to_string(),
                                          call.local(Slot::answerer_rtp).to_string(), "removed"};
  EXPECT_EQ(order, expected);
  for (const Slot slot : {Slot::offerer_rtp, Slot::offerer_rtcp, Slot::answerer_rtp, Slot::answerer_rtcp}) {
    EXPECT_TRUE(socket_at(call.local(slot)));
  }
}

TEST_F(WorkerTest, a_renewed_port_carries_on_and_the_old_one_is_closed) {
  LiveCall call{arena_, 1};
  install(call);
  turn();
  const auto old = call.local(Slot::offerer_rtp);
  call.renew(Slot::offerer_rtp);
  call.renew(Slot::offerer_rtcp);
  install(call);
  turn();
  const auto closed = events<flow::PortClosed>();
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].local, old);
  const auto packet = rtp_packet(1);
  call.offerer.send(packet, call.local(Slot::offerer_rtp));
  EXPECT_EQ(relayed_to(call.answerer), packet);
}

TEST_F(WorkerTest, tells_control_where_a_peer_was_found) {
  LiveCall call{arena_, 1};
  install(call);
  turn();
  events<flow::RemoteChanged>();
  Peer moved{"127.0.0.1"};
  moved.send(rtp_packet(1), call.local(Slot::offerer_rtp));
  ASSERT_TRUE(relayed_to(call.answerer));
  bool told = false;
  for (const auto& event : events<flow::RemoteChanged>()) {
    told = told || (event.slot == Slot::offerer_rtp && event.remote.destination == moved.local && event.remote.learned);
  }
  EXPECT_TRUE(told);
  std::uint64_t rings = 0;
  EXPECT_EQ(::read(bell_.get(), &rings, sizeof rings), static_cast<ssize_t>(sizeof rings));
}

TEST_F(WorkerTest, does_a_bounded_number_of_commands_before_it_looks_at_packets) {
  for (int i = 0; i < kCommandsPerTurn + 1; ++i) ASSERT_TRUE(worker_->post(Remove{ConnectionId{77}}));
  turn();
  EXPECT_EQ(worker_->statistics().commands.value(), static_cast<std::uint64_t>(kCommandsPerTurn));
  turn();
  EXPECT_EQ(worker_->statistics().commands.value(), static_cast<std::uint64_t>(kCommandsPerTurn + 1));
}

TEST_F(WorkerTest, loses_no_event_when_control_does_not_read_for_a_while) {
  constexpr std::size_t kRemoves = 2 * kOutboxSize + 10;
  std::size_t posted = 0, heard = 0;
  while (posted < kRemoves) {
    if (worker_->post(Remove{ConnectionId{posted + 1}})) {
      ++posted;
    } else {
      turn();
    }
  }
  for (int i = 0; i < 100; ++i) turn();
  std::uint64_t expected = 1;
  for (int i = 0; i < 10 && heard < kRemoves; ++i) {
    while (auto event = worker_->next_event()) {
      ASSERT_TRUE(std::holds_alternative<flow::Removed>(*event));
      EXPECT_EQ(std::get<flow::Removed>(*event).connection.value(), expected++);   // in order
      ++heard;
    }
    turn();
  }
  EXPECT_EQ(heard, kRemoves);
}

}  // namespace
}  // namespace millrace::dataplane
