// Streams of every kind on one worker, and peers that do in any order what peers do: nothing breaks, spins or stays
// behind. A failure names its seed, and the seed repeats it but for what the kernel does in its own time.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "dataplane/socket/stream_testing.hpp"

namespace millrace::dataplane {
namespace {

using flow::Slot;
using flow::StreamState;
using flow::Transport;
using testing::Bytes;
using testing::Call;
using testing::pattern;
using testing::Peer;
using testing::rtp_packet;
using testing::TcpPeer;

struct Kind {
  Transport client, destination;
};
constexpr std::array kKinds{
    Kind{Transport::stream, Transport::stream},
    Kind{Transport::framed_stream, Transport::framed_stream},
    Kind{Transport::framed_stream, Transport::datagram},
    Kind{Transport::datagram, Transport::framed_stream},
};
constexpr int kSteps = 1500;
constexpr std::size_t kMostPeers = 12;

// Which state may follow which; the first is `waiting`.
bool may_follow(std::optional<StreamState> before, StreamState now) {
  if (!before) return now == StreamState::waiting;
  switch (now) {
    case StreamState::waiting: return *before == StreamState::connecting || *before == StreamState::connected;
    case StreamState::connecting: return *before == StreamState::waiting || *before == StreamState::failed;
    case StreamState::connected: return true;
    case StreamState::failed: return *before == StreamState::connecting || *before == StreamState::connected;
  }
  return false;
}

class StreamsChaos : public testing::StreamTest {
 protected:
  StreamsChaos() : StreamTest{2} {}   // fewer pipes than streams

  std::size_t any(std::size_t below) { return random_() % below; }
  void create(std::size_t kind) {
    Call call = session(kKinds[kind].client, kKinds[kind].destination, ++last_id_);
    if (any(3) == 0) call.plan.limit = {.packets_per_second = 2000, .bits_per_second = 50'000'000};
    install(call);
    calls_.push_back({std::move(call), kind});
  }
  TcpPeer* peer() { return peers_.empty() ? nullptr : &peers_[any(peers_.size())]; }
  void send_something() {
    if (TcpPeer* to = peer()) to->send_some(pattern(1 + any(100'000), static_cast<std::uint32_t>(random_())));
  }
  void step();
  void read_told();

  std::mt19937 random_;
  struct Living {
    Call call;
    std::size_t kind;
  };
  std::vector<Living> calls_;
  std::vector<TcpPeer> peers_;
  std::map<std::uint64_t, std::optional<StreamState>> states_;
  std::map<StreamState, std::size_t> seen_;
  std::uint64_t last_id_ = 0;
  Peer client_{"127.0.0.1"};
};

void StreamsChaos::step() {
  Living& living = calls_[any(calls_.size())];
  Call& call = living.call;
  switch (any(12)) {
    case 0:
      if (flow::is_stream(kKinds[living.kind].client)) peers_.push_back(client_of(call));
      break;
    case 1:
      if (net::UniqueFd there{::accept4(destination_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)}) {
        peers_.emplace_back(std::move(there));
      }
      break;
    case 2:
      if (TcpPeer* leaving = peer()) leaving->shut();
      break;
    case 3:
      if (TcpPeer* leaving = peer()) leaving->reset();
      break;
    case 4:
      if (any(4) != 0) break;
      ASSERT_TRUE(worker_->post(Remove{call.plan.id}));
      if (any(2) == 0) turn();
      std::swap(living, calls_.back());
      create(calls_.back().kind);
      calls_.erase(calls_.end() - 2);
      break;
    case 5:
      ++call.port(Slot::answerer_rtp).signalled_revision;
      call.plan.limit.bits_per_second = any(2) * 30'000'000;
      install(call);
      break;
    case 6:
      for (TcpPeer& each : peers_) {
        each.received.clear();
        each.receive_some();
      }
      break;
    case 7:
    case 8: client_.send(rtp_packet(1, any(2000)), call.port(Slot::offerer_rtp).local); break;
    case 9: udp_.send(rtp_packet(1, any(2000)), call.port(Slot::answerer_rtp).local); break;
    default: send_something();
  }
  std::erase_if(peers_, [](const TcpPeer& each) { return !each.socket; });
  if (peers_.size() > kMostPeers) peers_.erase(peers_.begin());
  for (auto turns = any(3); turns > 0; --turns) turn();
}

void StreamsChaos::read_told() {
  while (auto event = worker_->next_event()) {
    const auto* changed = std::get_if<flow::StreamChanged>(&*event);
    if (changed == nullptr) continue;
    auto& before = states_[changed->connection.value()];
    EXPECT_TRUE(may_follow(before, changed->state))
        << static_cast<int>(before.value_or(StreamState::failed)) << " to " << static_cast<int>(changed->state);
    before = changed->state;
    ++seen_[changed->state];
  }
}

TEST_F(StreamsChaos, leaves_nothing_behind_whatever_peers_do) {
  for (const std::uint32_t seed : {1u, 2u, 3u, 4u}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    random_.seed(seed);
    const std::size_t before = testing::open_descriptors() - 2 * worker_->streams().pipes().idle();
    for (std::size_t kind = 0; kind < kKinds.size(); ++kind) create(kind);
    for (int i = 0; i < kSteps && !HasFailure(); ++i) {
      step();
      read_told();
    }
    EXPECT_TRUE(comes_to_rest());
    for (const Living& living : calls_) ASSERT_TRUE(worker_->post(Remove{living.call.plan.id}));
    calls_.clear();
    peers_.clear();
    turn();
    read_told();
    while (net::UniqueFd{::accept4(destination_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)}) {}
    EXPECT_EQ(worker_->streams().pipes().lent(), 0u);
    EXPECT_FALSE(worker_->streams().next_due());
    EXPECT_EQ(testing::open_descriptors(), before + 2 * worker_->streams().pipes().idle());
    EXPECT_EQ(worker_->statistics().sockets_failed.value(), 0u);
    EXPECT_TRUE(comes_to_rest());
  }
  EXPECT_EQ(seen_.size(), 4u) << "every state was met";
}

}  // namespace
}  // namespace millrace::dataplane
