// Unframed streams through a worker, on real sockets; every wait is for a condition, with a deadline.
#include "dataplane/socket/streams.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>

#include "dataplane/socket/stream_testing.hpp"

namespace millrace::dataplane {
namespace {

using flow::Count;
using flow::Slot;
using flow::Transport;
using testing::Bytes;
using testing::bytes_of;
using testing::Call;
using ::testing::ElementsAre;
using testing::pattern;
using testing::TcpPeer;

// A listener whose backlog is full does not answer.
struct Silent {
  Silent() {
    sockaddr_storage address;
    const auto length = testing::any_port("127.0.0.1").to_sockaddr(address);
    MR_CHECK(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0);
    MR_CHECK(::listen(listener.get(), 0) == 0);
    at = net::local_endpoint(listener.get()).value();
    for (int i = 0; i < 4; ++i) waiting.push_back(net::connect_tcp(testing::any_port("127.0.0.1"), at).value());
  }
  net::UniqueFd listener{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  net::Endpoint at;
  std::vector<net::UniqueFd> waiting;
};

class StreamsTest : public testing::StreamTest {
 protected:
  Call plain() { return session(Transport::stream, Transport::stream); }
};

TEST_F(StreamsTest, connects_from_the_forward_port_when_a_client_comes_and_carries_both_ways) {
  Call call = plain();
  install(call);
  EXPECT_THAT(told(), ElementsAre("waiting"));
  TcpPeer client = client_of(call);
  TcpPeer destination = arrived();
  EXPECT_EQ(arrived_from_, call.port(Slot::answerer_rtp).local);
  EXPECT_TRUE(carries(client, destination, bytes_of("hello")));
  EXPECT_TRUE(carries(destination, client, bytes_of("good day")));
  EXPECT_THAT(told(), ElementsAre("connecting", "connected"));
  EXPECT_EQ(last_.client, net::local_endpoint(client.socket.get()).value());
  EXPECT_EQ(last_.local, call.port(Slot::answerer_rtp).local);
}

TEST_F(StreamsTest, carries_megabytes_both_ways_at_once) {
  Call call = plain();
  install(call);
  TcpPeer client = client_of(call), destination = arrived();
  const Bytes up = pattern(8 << 20, 1), down = pattern(8 << 20, 2);
  std::size_t sent_up = 0, sent_down = 0;
  EXPECT_TRUE(until([&] {
    sent_up += client.send_some(std::span{up}.subspan(sent_up));
    sent_down += destination.send_some(std::span{down}.subspan(sent_down));
    client.receive_some();
    destination.receive_some();
    return destination.received.size() >= up.size() && client.received.size() >= down.size();
  }));
  EXPECT_TRUE(destination.received == up);
  EXPECT_TRUE(client.received == down);
  turn();
  const auto in = call.sample(Slot::offerer_rtp), out = call.sample(Slot::answerer_rtp);
  EXPECT_EQ(in[Count::bytes_in], up.size());
  EXPECT_EQ(in[Count::bytes_out], down.size());
  EXPECT_EQ(out[Count::bytes_in], down.size());
  EXPECT_EQ(out[Count::bytes_out], up.size());
  EXPECT_EQ(in[Count::packets_relayed], in[Count::packets_in]);
  EXPECT_EQ(worker_->streams().pipes().lent(), 0u) << "nothing is under way, so nothing is lent";
}

TEST_F(StreamsTest, a_read_counts_as_a_packet_and_how_long_it_was_here_is_measured) {
  Call call = plain();
  install(call);
  TcpPeer client = client_of(call), destination = arrived();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(carries(client, destination, bytes_of("12345")));
  const auto in = call.sample(Slot::offerer_rtp), out = call.sample(Slot::answerer_rtp);
  EXPECT_EQ(in[Count::packets_in], 5u);
  EXPECT_EQ(in[Count::packets_relayed], 5u);
  EXPECT_EQ(in[Count::latency_count], 5u);
  EXPECT_GT(in[Count::latency_sum_ns], 0u);
  EXPECT_GT(in[Count::longest_gap_ns], 0u);
  EXPECT_GT(in[Count::first_in_wall_ns], 0u);
  EXPECT_GE(in[Count::last_in_wall_ns], in[Count::first_in_wall_ns]);
  EXPECT_EQ(out[Count::packets_out], 5u);
  EXPECT_EQ(worker_->statistics().packets_in.value(), 5u);
  EXPECT_EQ(worker_->statistics().latency.snapshot().samples, 5u);
}

// The kernel does not splice past an urgent byte; a worker that only spliced would be told of it over and over.
TEST_F(StreamsTest, a_byte_that_was_sent_as_urgent_is_one_of_the_stream) {
  Call call = plain();
  install(call);
  TcpPeer client = client_of(call), destination = arrived();
  for (TcpPeer* from : {&client, &destination}) {
    TcpPeer& to = from == &client ? destination : client;
    for (const int flags : {0, int{MSG_OOB}, 0, int{MSG_OOB}, int{MSG_OOB}, 0}) {
      ASSERT_EQ(::send(from->socket.get(), "ab", 2, flags | MSG_NOSIGNAL), 2);
      turn();
    }
    EXPECT_TRUE(until([&] {
      to.receive_some();
      return to.received.size() >= 12;
    })) << to.text();
    EXPECT_EQ(to.text(), "abababababab");
    EXPECT_TRUE(comes_to_rest());
  }
}

TEST_F(StreamsTest, passes_on_that_one_side_has_said_all_and_goes_on_with_the_other) {
  for (const bool client_first : {true, false}) {
    Call call = plain();
    install(call);
    TcpPeer client = client_of(call), destination = arrived();
    TcpPeer& first = client_first ? client : destination;
    TcpPeer& second = client_first ? destination : client;
    ASSERT_TRUE(carries(first, second, bytes_of("the last word")));
    first.shut();
    ASSERT_TRUE(ends(second));
    EXPECT_EQ(second.error, 0);
    const Bytes answer = pattern(3 << 20);
    EXPECT_TRUE(carries(second, first, answer));
    EXPECT_FALSE(first.closed());
    second.shut();
    EXPECT_TRUE(ends(first));
    EXPECT_THAT(told(), ElementsAre("waiting", "connecting", "connected",
                                    client_first ? "waiting: the client closed first"
                                                 : "waiting: the destination closed first"));
    ASSERT_TRUE(worker_->post(Remove{ConnectionId{1}}));
    EXPECT_THAT(told(), ElementsAre("port closed", "port closed", "removed"));
  }
}

TEST_F(StreamsTest, what_was_sent_before_the_end_arrives_before_the_end) {
  Call call = plain();
  install(call);
  TcpPeer client = client_of(call), destination = arrived();
  const Bytes bytes = pattern(6 << 20);
  std::size_t sent = 0;
  ASSERT_TRUE(until([&] {
    sent += client.send_some(std::span{bytes}.subspan(sent));
    destination.receive_some(100'000);
    return sent == bytes.size();
  }));
  client.shut();
  destination.shut();
  EXPECT_TRUE(ends(destination));
  EXPECT_TRUE(destination.received == bytes);
}

TEST_F(StreamsTest, says_why_the_destination_was_not_reached_and_serves_the_next_client) {
  Call call = plain();
  const net::UniqueFd kept = net::reserve_tcp(testing::any_port("127.0.0.1")).value();   // nobody listens there
  const auto nobody = net::local_endpoint(kept.get()).value();
  call.port(Slot::answerer_rtp).signalled = nobody;
  install(call);
  TcpPeer client = client_of(call);
  EXPECT_TRUE(ends(client));
  EXPECT_THAT(told(),
              ElementsAre("waiting", "connecting", "failed: connect " + nobody.to_string() + ": Connection refused"));
  // The destination is updated: the next client goes there.
  call.port(Slot::answerer_rtp).signalled = destination_at();
  ++call.port(Slot::answerer_rtp).signalled_revision;
  install(call);
  TcpPeer next = client_of(call);
  TcpPeer destination = arrived();
  EXPECT_TRUE(carries(next, destination, bytes_of("hello")));
  EXPECT_THAT(told(), ElementsAre("connecting", "connected"));
}

TEST_F(StreamsTest, gives_up_a_destination_that_does_not_answer_in_time) {
  Call call = plain();
  const Silent destination;
  const auto silent = destination.at;
  call.port(Slot::answerer_rtp).signalled = silent;
  call.port(Slot::answerer_rtp).stream.connect_timeout = std::chrono::milliseconds{60};
  install(call);
  TcpPeer client = client_of(call);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(ends(client));
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds{55});
  EXPECT_THAT(told(),
              ElementsAre("waiting", "connecting", "failed: connect " + silent.to_string() + ": Connection timed out"));
}

TEST_F(StreamsTest, a_client_that_leaves_while_its_way_is_made_ends_the_attempt) {
  Call call = plain();
  const Silent destination;
  call.port(Slot::answerer_rtp).signalled = destination.at;
  install(call);
  TcpPeer client = client_of(call);
  ASSERT_TRUE(until([&] { return !told().empty() && last_.state == flow::StreamState::connecting; }));
  const std::string name = last_.client.to_string();
  client.reset();
  EXPECT_TRUE(until([&] { return !told().empty(); }));
  EXPECT_EQ(last_.state, flow::StreamState::waiting);
  EXPECT_EQ(last_.reason, "client " + name + ": Connection reset by peer");
}

TEST_F(StreamsTest, a_destination_that_nobody_named_is_a_reason_too) {
  Call call = plain();
  call.port(Slot::answerer_rtp).signalled = {};
  install(call);
  TcpPeer client = client_of(call);
  EXPECT_TRUE(ends(client));
  EXPECT_THAT(told(), ElementsAre("waiting", "connecting", "failed: the destination is not known"));
}

TEST_F(StreamsTest, serves_one_client_at_a_time_and_the_next_one_after_it) {
  Call call = plain();
  install(call);
  TcpPeer first = client_of(call);
  TcpPeer destination = arrived();
  TcpPeer second = client_of(call);
  second.send_some(bytes_of("patience"));
  ASSERT_TRUE(carries(first, destination, bytes_of("me first")));
  const auto turns = worker_->statistics().turns.value();
  turn();
  EXPECT_EQ(worker_->statistics().turns.value(), turns + 1);
  first.reset();
  ASSERT_TRUE(ends(destination));
  EXPECT_EQ(destination.error, ECONNRESET) << "what the client did, the destination sees";
  TcpPeer again = arrived();
  EXPECT_TRUE(until([&] {
    again.receive_some();
    return again.text() == "patience";
  }));
}

TEST_F(StreamsTest, an_end_that_breaks_takes_the_other_along_and_is_told_by_its_name) {
  for (const bool client_breaks : {true, false}) {
    Call call = plain();
    install(call);
    TcpPeer client = client_of(call), destination = arrived();
    ASSERT_TRUE(carries(client, destination, bytes_of("hello")));
    const std::string name = client_breaks ? "client " + net::local_endpoint(client.socket.get())->to_string()
                                           : "destination " + destination_at().to_string();
    told();
    (client_breaks ? client : destination).reset();
    EXPECT_TRUE(ends(client_breaks ? destination : client));
    EXPECT_THAT(told(), ElementsAre((client_breaks ? "waiting: " : "failed: ") + name + ": Connection reset by peer"));
    ASSERT_TRUE(worker_->post(Remove{ConnectionId{1}}));
    told();
  }
}

// Turns that find something to do while nobody outside does anything.
TEST_F(StreamsTest, a_peer_that_never_reads_stops_the_other_and_costs_no_turns) {
  for (const bool half_closed : {false, true}) {
    Call call = plain();
    install(call);
    TcpPeer client = client_of(call), destination = arrived();
    if (half_closed) destination.shut();
    const Bytes bytes = pattern(1 << 20);
    std::size_t sent = 0, before = 1;
    for (int quiet = 0; quiet < 20; quiet = sent == before ? quiet + 1 : 0) {
      before = sent;
      sent += client.send_some(bytes);
      turn(1);
    }
    EXPECT_LT(sent, 64u << 20) << "the kernel's buffers and one pipe, no more";
    if (half_closed) client.shut();
    EXPECT_TRUE(comes_to_rest());
    EXPECT_LE(worker_->streams().pipes().lent(), 1u);
    // And it all comes out in the end.
    std::size_t received = 0;
    EXPECT_TRUE(until([&] {
      destination.received.clear();
      destination.receive_some();
      received += destination.received.size();
      return received == sent;
    })) << received
        << " of " << sent;
    ASSERT_TRUE(worker_->post(Remove{ConnectionId{1}}));
    told();
    EXPECT_EQ(worker_->streams().pipes().lent(), 0u);
  }
}

TEST_F(StreamsTest, one_stream_that_is_stuck_does_not_hinder_another) {
  Call stuck = plain();
  install(stuck);
  TcpPeer stuck_client = client_of(stuck), stuck_destination = arrived();
  Call other = session(Transport::stream, Transport::stream, 2);
  install(other);
  TcpPeer client = client_of(other), destination = arrived();
  const Bytes bytes = pattern(1 << 20);
  for (int i = 0; i < 100; ++i) {
    stuck_client.send_some(bytes);
    turn();
  }
  EXPECT_TRUE(carries(client, destination, pattern(4 << 20)));
}

TEST_F(StreamsTest, takes_another_port_when_its_own_is_in_time_wait_and_says_so) {
  Call call = plain();
  install(call);
  std::size_t own = 0, chosen = 0;
  for (int i = 0; i < 20; ++i) {
    TcpPeer client = client_of(call), destination = arrived();
    ASSERT_TRUE(carries(client, destination, bytes_of("x")));
    told();
    EXPECT_EQ(last_.local, arrived_from_);
    ++(arrived_from_ == call.port(Slot::answerer_rtp).local ? own : chosen);
    client.shut();   // the relay closes first towards the destination, and so it is the one that waits
    ASSERT_TRUE(ends(destination));
    destination.shut();
    ASSERT_TRUE(ends(client));
    ASSERT_TRUE(until([&] { return !told().empty(); }));
  }
  EXPECT_GE(own, 1u);
  EXPECT_EQ(own + chosen, 20u);
}

TEST_F(StreamsTest, removal_closes_everything_whatever_is_under_way) {
  const auto descriptors = testing::open_descriptors();
  {
    Call call = plain();
    install(call);
    TcpPeer client = client_of(call), destination = arrived();
    client.send_some(pattern(1 << 20));
    for (int i = 0; i < 5; ++i) turn();
    ASSERT_TRUE(worker_->post(Remove{ConnectionId{1}}));
    EXPECT_THAT(told(), ElementsAre("waiting", "connecting", "connected", "port closed", "port closed", "removed"));
    EXPECT_TRUE(ends(client));
    EXPECT_TRUE(ends(destination));
    EXPECT_TRUE(net::listen_tcp(call.port(Slot::offerer_rtp).local));
    EXPECT_TRUE(net::listen_tcp(call.port(Slot::answerer_rtp).local));
  }
  EXPECT_LE(testing::open_descriptors(), descriptors + 2 * worker_->streams().pipes().idle());
}

TEST_F(StreamsTest, a_thousand_clients_one_after_the_other_leave_no_descriptor_behind) {
  Call call = plain();
  install(call);
  std::size_t descriptors = 0;
  for (int i = 0; i < 1000; ++i) {
    TcpPeer client = client_of(call), destination = arrived();
    ASSERT_TRUE(carries(client, destination, bytes_of("hello"))) << i;
    if (i % 3 == 0) {
      client.reset();
    } else {
      client.shut();
      ASSERT_TRUE(ends(destination));
      destination.shut();
      ASSERT_TRUE(ends(client));
    }
    const auto words = told();
    ASSERT_TRUE(until([&] { return !words.empty() || !told().empty(); }));
    if (i == 10) descriptors = testing::open_descriptors();
  }
  EXPECT_LE(testing::open_descriptors(), descriptors);
  EXPECT_EQ(worker_->statistics().sockets_failed.value(), 0u);
}

TEST_F(StreamsTest, a_listener_that_is_renewed_ends_what_came_through_the_old_one) {
  Call call = plain();
  install(call);
  TcpPeer client = client_of(call), destination = arrived();
  told();
  const auto old = call.port(Slot::offerer_rtp).local;
  Call renewed = plain();
  call.port(Slot::offerer_rtp).local = renewed.port(Slot::offerer_rtp).local;
  sockets_[static_cast<std::size_t>(Slot::answerer_rtp)] = {};   // that one stays
  install(call);
  EXPECT_TRUE(ends(client));
  EXPECT_TRUE(ends(destination));
  EXPECT_THAT(told(), ElementsAre("waiting", "port closed"));
  EXPECT_TRUE(net::listen_tcp(old));
  TcpPeer next = client_of(call);
  TcpPeer again = arrived();
  EXPECT_TRUE(carries(next, again, bytes_of("hello")));
}

TEST_F(StreamsTest, sets_on_both_ends_what_the_plan_says) {
  Call call = plain();
  for (const Slot slot : {Slot::offerer_rtp, Slot::answerer_rtp}) {
    call.port(slot).stream.keep_alive = std::chrono::seconds{77};
    call.port(slot).tos = 0x88;
  }
  const auto first_new = testing::open_descriptors();
  install(call);
  TcpPeer client = client_of(call), destination = arrived();
  ASSERT_TRUE(carries(client, destination, bytes_of("x")));
  int found = 0;
  for (int fd = 0; fd < static_cast<int>(first_new) + 50; ++fd) {
    int idle = 0, delay = 0, tos = 0;
    socklen_t length = sizeof idle;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, &length) != 0 || idle != 77) continue;
    ::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &delay, &length);
    ::getsockopt(fd, IPPROTO_IP, IP_TOS, &tos, &length);
    EXPECT_EQ(delay, 1);
    EXPECT_EQ(tos, 0x88);
    ++found;
  }
  EXPECT_EQ(found, 2);
}

TEST_F(StreamsTest, is_slowed_down_to_its_limit_and_loses_nothing) {
  Call call = plain();
  call.plan.limit = {.packets_per_second = 0, .bits_per_second = 8'000'000, .burst = std::chrono::milliseconds{20}};
  install(call);
  TcpPeer client = client_of(call), destination = arrived();
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(carries(client, destination, pattern(120'000)));
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_GE(took, std::chrono::milliseconds{98}) << "20 KB at once, then 1 MB a second";
  EXPECT_LT(took, std::chrono::seconds{4});
  EXPECT_EQ(call.sample(Slot::offerer_rtp).dropped(), 0u);
  // While it waits for its next share it costs no turns.
  client.send_some(pattern(60'000));
  turn();
  const auto turns = worker_->statistics().turns.value();
  const auto until_then = std::chrono::steady_clock::now() + std::chrono::milliseconds{40};
  while (std::chrono::steady_clock::now() < until_then) turn(1000);
  EXPECT_LT(worker_->statistics().turns.value() - turns, 40u);
}

class StreamsWithoutPipes : public testing::StreamTest {
 protected:
  StreamsWithoutPipes() : StreamTest{0} {}
};

TEST_F(StreamsWithoutPipes, carry_the_same_bytes) {
  Call call = session(Transport::stream, Transport::stream);
  install(call);
  TcpPeer client = client_of(call), destination = arrived();
  EXPECT_TRUE(carries(client, destination, pattern(5 << 20, 1)));
  EXPECT_TRUE(carries(destination, client, pattern(5 << 20, 2)));
  client.shut();
  EXPECT_TRUE(ends(destination));
  const auto in = call.sample(Slot::offerer_rtp);
  EXPECT_EQ(in[Count::bytes_in], 5u << 20);
  EXPECT_EQ(in[Count::packets_relayed], in[Count::packets_in]);
  EXPECT_GT(in[Count::latency_sum_ns], 0u);
}

TEST_F(StreamsWithoutPipes, leave_in_the_kernel_what_the_other_end_does_not_take) {
  Call call = session(Transport::stream, Transport::stream);
  install(call);
  TcpPeer client = client_of(call), destination = arrived();
  const Bytes bytes = pattern(1 << 20);
  std::size_t sent = 0, before = 1;
  for (int quiet = 0; quiet < 20; quiet = sent == before ? quiet + 1 : 0) {
    before = sent;
    sent += client.send_some(bytes);
    turn(1);
  }
  EXPECT_TRUE(comes_to_rest());
  std::size_t received = 0;
  EXPECT_TRUE(until([&] {
    destination.received.clear();
    destination.receive_some();
    received += destination.received.size();
    return received == sent;
  }));
}

}  // namespace
}  // namespace millrace::dataplane
