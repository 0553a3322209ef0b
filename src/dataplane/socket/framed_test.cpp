// Framed streams through a worker, alone and joined to datagrams, on real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.hpp"
#include "dataplane/socket/stream_testing.hpp"
#include "dataplane/socket/streams.hpp"

namespace millrace::dataplane {
namespace {

using flow::Count;
using flow::Drop;
using flow::Slot;
using flow::Transport;
using millrace::testing::from_hex;
using testing::Bytes;
using testing::Call;
using ::testing::ElementsAre;
using testing::Peer;
using testing::rtp_packet;
using testing::TcpPeer;

Bytes framed(const Bytes& packet) {
  const auto header = frame_header(packet.size());
  Bytes bytes{header.begin(), header.end()};
  bytes.insert(bytes.end(), packet.begin(), packet.end());
  return bytes;
}

const Bytes kReport = from_hex("80c9000100000001");

class FramedTest : public testing::StreamTest {
 protected:
  // Turns until the peer has a datagram.
  std::optional<Bytes> datagram_at(Peer& peer) {
    std::optional<Bytes> bytes;
    (void)until([&] { return (bytes = peer.receive(0)).has_value(); });
    return bytes;
  }
  ::testing::AssertionResult comes(TcpPeer& peer, const Bytes& bytes) {
    auto came = until([&] {
      peer.receive_some();
      return peer.received.size() >= bytes.size();
    });
    if (came && peer.received != bytes) came = ::testing::AssertionFailure() << "other bytes came";
    peer.received.clear();
    return came;
  }
};

TEST_F(FramedTest, carries_packets_between_two_streams_however_they_are_cut) {
  Call call = session(Transport::framed_stream, Transport::framed_stream);
  install(call);
  TcpPeer client = client_of(call), destination = arrived();
  Bytes stream;
  for (const Bytes& packet : {rtp_packet(1, 20), Bytes{}, kReport, rtp_packet(2, 30)}) {
    const Bytes frame = framed(packet);
    stream.insert(stream.end(), frame.begin(), frame.end());
  }
  Bytes expected = framed(rtp_packet(1, 20));
  for (const Bytes& frame : {framed(kReport), framed(rtp_packet(2, 30))}) {
    expected.insert(expected.end(), frame.begin(), frame.end());
  }
  std::uint64_t packets = 0;
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    ASSERT_EQ(client.send_some(std::span{stream}.first(cut)), cut);
    for (int i = 0; i < 3; ++i) turn();
    ASSERT_EQ(client.send_some(std::span{stream}.subspan(cut)), stream.size() - cut);
    ASSERT_TRUE(comes(destination, expected)) << "cut at " << cut;
    packets += 3;
  }
  turn();
  const auto in = call.sample(Slot::offerer_rtp), out = call.sample(Slot::answerer_rtp);
  EXPECT_EQ(in[Count::packets_in], packets);
  EXPECT_EQ(in[Count::packets_relayed], packets);
  EXPECT_EQ(in[Count::rtcp_on_rtp], packets / 3);
  EXPECT_GT(in[Count::latency_count], 0u);
  EXPECT_GT(in[Count::latency_sum_ns], 0u);
  EXPECT_EQ(out[Count::packets_out], packets);
  EXPECT_EQ(in[Count::bytes_in], out[Count::bytes_out]);
}

TEST_F(FramedTest, passes_on_the_end_of_each_direction) {
  Call call = session(Transport::framed_stream, Transport::framed_stream);
  install(call);
  TcpPeer client = client_of(call), destination = arrived();
  client.send_some(framed(rtp_packet(1)));
  client.shut();
  EXPECT_TRUE(ends(destination));
  EXPECT_EQ(destination.received, framed(rtp_packet(1)));
  destination.send_some(framed(rtp_packet(2)));
  EXPECT_TRUE(comes(client, framed(rtp_packet(2))));
  destination.shut();
  EXPECT_TRUE(ends(client));
  EXPECT_THAT(told(), ElementsAre("waiting", "connecting", "connected", "waiting: the client closed first"));
}

TEST_F(FramedTest, thousands_of_packets_in_one_read_leave_the_others_their_turns) {
  for (const auto destination_kind : {Transport::datagram, Transport::framed_stream}) {
    Call call = session(Transport::framed_stream, destination_kind);
    install(call);
    TcpPeer client = client_of(call), destination;
    if (destination_kind == Transport::framed_stream) destination = arrived();
    turn();
    constexpr std::size_t kPackets = 6000;
    Bytes sent;
    for (std::size_t i = 0; i < kPackets; ++i) {
      for (const auto byte : {0, 1, static_cast<int>(i % 251)}) sent.push_back(static_cast<std::byte>(byte));
    }
    ASSERT_EQ(client.send_some(sent), sent.size());
    client.shut();
    const auto relayed = [&] { return call.sample(Slot::offerer_rtp)[Count::packets_relayed]; };
    std::uint64_t before = 0;
    EXPECT_TRUE(until([&] {
      EXPECT_LE(relayed() - before, 2 * kPacketsPerEvent);
      before = relayed();
      return before == kPackets;
    }));
    EXPECT_EQ(call.sample(Slot::offerer_rtp)[Count::packets_in], kPackets);
    if (destination.socket) {
      EXPECT_TRUE(ends(destination));
      EXPECT_EQ(destination.received, sent) << "and the end comes last";
    }
    ASSERT_TRUE(worker_->post(Remove{ConnectionId{1}}));
    told();
  }
}

TEST_F(FramedTest, a_packet_that_is_too_long_is_dropped_and_the_stream_stays_in_step) {
  Call call = session(Transport::framed_stream, Transport::datagram);
  install(call);
  TcpPeer client = client_of(call);
  for (const std::size_t size : {flow::kMaxDatagram + 1, std::size_t{65535}}) {
    const Bytes frame = framed(Bytes(size));
    std::size_t sent = 0;
    ASSERT_TRUE(until([&] { return (sent += client.send_some(std::span{frame}.subspan(sent))) == frame.size(); }));
    client.send_some(framed(rtp_packet(7)));
    EXPECT_EQ(datagram_at(udp_), rtp_packet(7));
  }
  EXPECT_EQ(call.sample(Slot::offerer_rtp)[Drop::too_long], 2u);
  const Bytes longest(flow::kMaxDatagram, std::byte{1});
  client.send_some(framed(longest));
  EXPECT_EQ(datagram_at(udp_), longest);
}

TEST_F(FramedTest, a_tcp_client_speaks_with_a_udp_destination_rtp_and_rtcp_each_to_its_port) {
  Call call = session(Transport::framed_stream, Transport::datagram);
  install(call);
  TcpPeer client = client_of(call);
  client.send_some(framed(rtp_packet(1)));
  EXPECT_EQ(datagram_at(udp_), rtp_packet(1));
  EXPECT_EQ(udp_.last_from, call.port(Slot::answerer_rtp).local);
  client.send_some(framed(kReport));
  EXPECT_EQ(datagram_at(udp_rtcp_), kReport);
  EXPECT_EQ(udp_rtcp_.last_from, call.port(Slot::answerer_rtcp).local);
  udp_.send(rtp_packet(2), call.port(Slot::answerer_rtp).local);
  EXPECT_TRUE(comes(client, framed(rtp_packet(2))));
  udp_rtcp_.send(kReport, call.port(Slot::answerer_rtcp).local);
  EXPECT_TRUE(comes(client, framed(kReport)));
  EXPECT_THAT(told(), ElementsAre("waiting", "connected"));
  EXPECT_EQ(last_.local, call.port(Slot::answerer_rtp).local);
  client.shut();
  EXPECT_TRUE(ends(client));
  EXPECT_THAT(told(), ElementsAre("waiting: the client closed first"));
  udp_.send(rtp_packet(3), call.port(Slot::answerer_rtp).local);
  EXPECT_TRUE(until([&] { return call.sample(Slot::answerer_rtp)[Drop::no_destination] == 1; }));
}

TEST_F(FramedTest, a_udp_client_connects_with_its_first_packet_and_none_is_lost_in_silence) {
  Call call = session(Transport::datagram, Transport::framed_stream);
  install(call);
  EXPECT_THAT(told(), ElementsAre("waiting"));
  Peer client{"127.0.0.1"};
  client.send(rtp_packet(1), call.port(Slot::offerer_rtp).local);
  TcpPeer destination = arrived();
  EXPECT_EQ(arrived_from_, call.port(Slot::answerer_rtp).local);
  EXPECT_EQ(call.sample(Slot::offerer_rtp)[Drop::no_destination], 1u);
  EXPECT_THAT(told(), ElementsAre("connecting", "connected"));
  EXPECT_EQ(last_.client, client.local);
  client.send(rtp_packet(2), call.port(Slot::offerer_rtp).local);
  EXPECT_TRUE(comes(destination, framed(rtp_packet(2))));
  client.send(kReport, call.port(Slot::offerer_rtcp).local);
  EXPECT_TRUE(comes(destination, framed(kReport)));
  destination.send_some(framed(rtp_packet(3)));
  EXPECT_EQ(datagram_at(client), rtp_packet(3));
  destination.shut();
  EXPECT_TRUE(ends(destination));
  EXPECT_THAT(told(), ElementsAre("waiting: the destination closed first"));
  for (std::uint16_t i = 4; i <= 10; ++i) {
    client.send(rtp_packet(i), call.port(Slot::offerer_rtp).local);
    turn();
  }
  EXPECT_THAT(told(), ElementsAre()) << "who accepts and closes is not connected to with every packet";
  EXPECT_TRUE(until([&] {
    client.send(rtp_packet(11), call.port(Slot::offerer_rtp).local);
    return !told().empty();
  }));
  TcpPeer again = arrived();
  EXPECT_TRUE(again.socket) << "a packet connects again";
}

TEST_F(FramedTest, a_destination_that_refuses_is_not_asked_with_every_packet) {
  Call call = session(Transport::datagram, Transport::framed_stream);
  const net::UniqueFd kept = net::reserve_tcp(testing::any_port("127.0.0.1")).value();
  call.port(Slot::answerer_rtp).signalled = net::local_endpoint(kept.get()).value();
  install(call);
  Peer client{"127.0.0.1"};
  for (std::uint16_t i = 1; i <= 10; ++i) {
    client.send(rtp_packet(i), call.port(Slot::offerer_rtp).local);
    ASSERT_TRUE(until([&] { return call.sample(Slot::offerer_rtp)[Drop::no_destination] == i; }));
  }
  const auto words = told();
  ASSERT_EQ(words.size(), 3u);
  EXPECT_THAT(words[2], ::testing::HasSubstr("Connection refused"));
}

TEST_F(FramedTest, a_stream_that_takes_nothing_holds_up_a_stream_and_makes_datagrams_drop) {
  for (const auto kind : {Transport::framed_stream, Transport::datagram}) {
    Call call = session(kind, Transport::framed_stream);
    install(call);
    const Bytes packet = rtp_packet(1, 8000);
    TcpPeer client;
    Peer udp{"127.0.0.1"};
    const auto to = call.port(Slot::offerer_rtp).local;
    if (kind == Transport::datagram) {
      udp.send(packet, to);
    } else {
      client = client_of(call);
    }
    TcpPeer destination = arrived();
    const Bytes frame = framed(packet);
    std::size_t sent = 0, before = 1;
    if (kind == Transport::datagram) {
      ASSERT_TRUE(until([&] {
        udp.send(packet, to);
        return call.sample(Slot::offerer_rtp)[Drop::congested] > 5;
      }));
    } else {
      for (int quiet = 0; quiet < 20; quiet = sent == before ? quiet + 1 : 0) {
        before = sent;
        while (const auto more = client.send_some(std::span{frame}.subspan(sent % frame.size()))) sent += more;
        turn(1);
      }
      EXPECT_LT(sent, 64u << 20);
    }
    turn();
    EXPECT_TRUE(comes_to_rest());
    // What was taken comes out whole, packet by packet.
    const auto expected = [&] {
      if (kind == Transport::framed_stream) return sent / frame.size() * frame.size();
      return static_cast<std::size_t>(call.sample(Slot::answerer_rtp)[Count::packets_out]) * frame.size();
    };
    std::size_t received = 0;
    EXPECT_TRUE(until([&] {
      destination.received.clear();
      destination.receive_some();
      for (const std::byte byte : destination.received) {
        if (byte != frame[received++ % frame.size()]) return false;
      }
      return received == expected();
    })) << received
        << " of " << expected();
    if (kind == Transport::framed_stream) {
      EXPECT_EQ(call.sample(Slot::offerer_rtp).dropped(), 0u);
    }
    ASSERT_TRUE(worker_->post(Remove{ConnectionId{1}}));
    told();
  }
}

TEST_F(FramedTest, rtcp_for_datagrams_without_an_rtcp_port_is_a_counted_drop) {
  Call call = session(Transport::framed_stream, Transport::datagram);
  call.port(Slot::offerer_rtp).egresses.pop_back();
  install(call);
  TcpPeer client = client_of(call);
  client.send_some(framed(kReport));
  client.send_some(framed(rtp_packet(1)));
  EXPECT_EQ(datagram_at(udp_), rtp_packet(1));
  EXPECT_EQ(call.sample(Slot::offerer_rtp)[Drop::no_egress], 1u);
  EXPECT_EQ(call.sample(Slot::offerer_rtp)[Count::packets_relayed], 1u);
}

TEST_F(FramedTest, a_side_may_become_datagrams) {
  Call call = session(Transport::framed_stream, Transport::framed_stream);
  install(call);
  TcpPeer client = client_of(call), destination = arrived();
  turn();
  Call next = session(Transport::datagram, Transport::framed_stream);
  install(next);
  EXPECT_TRUE(ends(client));
  EXPECT_TRUE(ends(destination));
  ASSERT_TRUE(worker_->post(Remove{ConnectionId{1}}));
  EXPECT_THAT(told(), ::testing::Contains("removed"));
}

TEST_F(FramedTest, is_limited_packet_by_packet) {
  Call call = session(Transport::framed_stream, Transport::datagram);
  call.plan.limit = {.packets_per_second = 3, .bits_per_second = 0, .burst = std::chrono::milliseconds{1000}};
  install(call);
  TcpPeer client = client_of(call);
  for (std::uint16_t i = 1; i <= 10; ++i) client.send_some(framed(rtp_packet(i)));
  EXPECT_TRUE(until([&] { return call.sample(Slot::offerer_rtp)[Drop::limit] >= 6; }));
  for (std::uint16_t i = 1; i <= 3; ++i) EXPECT_EQ(datagram_at(udp_), rtp_packet(i));
}

}  // namespace
}  // namespace millrace::dataplane
