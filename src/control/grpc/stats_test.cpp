#include "control/grpc/stats.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "control/grpc/rtpproxy.pb.h"
#include "control/grpc/session_info.hpp"

namespace millrace::control::grpc {
namespace {

using flow::Count;
using flow::Drop;

flow::FlowCounters counters(const std::function<void(flow::CounterBlock&)>& fill) {
  flow::CounterBlock block;
  block.reset();
  fill(block);
  return block.sample();
}

::rtpproxy::TrafficStats stats_of(const session::View& view) {
  ::rtpproxy::TrafficStats stats;
  write_stats(view, stats);
  return stats;
}

session::View a_view() {
  session::View view;
  view.session = true;
  view.call_id = "a1";
  view.sides[0].rtp_counters = counters([](auto& c) {
    c.set(Count::packets_in, 100);
    c.set(Count::bytes_in, 17'200);
    c.set(Count::packets_out, 40);
    c.set(Count::bytes_out, 6'880);
    c.set(Count::latency_sum_ns, 2'000'000);
    c.set(Count::latency_count, 100);
    c.set(Count::rtp_expected, 110);
    c.set(Count::rtp_lost, 11);
    c.set(Count::rtp_jitter_last, 16'000);  // 16 ticks of 8 kHz
    c.set(Count::rtp_payload_type, 0);
    c.drop(Drop::no_destination);
    c.drop(Drop::limit);
    c.drop(Drop::too_long);
    c.drop(Drop::wrong_source);
    c.drop(Drop::not_complete);
  });
  view.sides[0].rtcp_counters = counters([](auto& c) {
    c.set(Count::packets_in, 2);
    c.set(Count::bytes_in, 100);
    c.set(Count::rtcp_round_trip_ns, 20'000'000);
    c.set(Count::rtcp_reported_jitter, 8'000);
    c.set(Count::rtcp_reported_fraction, 64);
    c.set(Count::latency_sum_ns, 40'000);
    c.set(Count::latency_count, 2);
  });
  view.sides[1].rtp_counters = counters([](auto& c) {
    c.set(Count::packets_in, 50);
    c.set(Count::packets_out, 97);
    c.set(Count::bytes_out, 16'684);
    c.set(Count::rtp_expected, 50);
    c.set(Count::rtp_payload_type, 8);
    c.set(Count::rtcp_round_trip_ns, 10'000'000);  // RTCP beside RTP, RFC 5761
  });
  return view;
}

TEST(GrpcStats, each_direction_is_what_came_and_what_became_of_it) {
  const auto stats = stats_of(a_view());
  const auto& from_client = stats.from_client();
  EXPECT_EQ(from_client.packets_received(), 103U);  // RTP, RTCP and the one that was too long
  EXPECT_EQ(from_client.bytes_received(), 17'300U);
  EXPECT_EQ(from_client.packets_sent(), 97U);
  EXPECT_EQ(from_client.bytes_sent(), 16'684U);
  EXPECT_EQ(from_client.packets_lost(), 3U);
  EXPECT_EQ(from_client.packets_refused(), 2U);
  EXPECT_EQ(from_client.drops().size(), 5U);
  EXPECT_EQ(from_client.drops().at("limit"), 1U);
  EXPECT_EQ(from_client.network_packets_lost(), 11U);
  EXPECT_DOUBLE_EQ(from_client.network_loss_rate(), 10.0);
  EXPECT_DOUBLE_EQ(from_client.jitter_ms(), 2.0);
  EXPECT_DOUBLE_EQ(from_client.round_trip_ms(), 20.0);
  EXPECT_DOUBLE_EQ(from_client.reported_jitter_ms(), 1.0);
  EXPECT_DOUBLE_EQ(from_client.reported_loss_rate(), 25.0);
  EXPECT_DOUBLE_EQ(from_client.avg_latency_ms(), 0.02);
  EXPECT_EQ(stats.from_destination().packets_sent(), 40U);
}

TEST(GrpcStats, totals_are_of_both_directions) {
  const auto stats = stats_of(a_view());
  EXPECT_EQ(stats.packets_received(), 153U);
  EXPECT_EQ(stats.packets_sent(), 137U);
  EXPECT_EQ(stats.packets_lost(), 3U);
  EXPECT_DOUBLE_EQ(stats.packet_loss_rate(), 100.0 * 3 / 153);
  EXPECT_EQ(stats.network_packets_lost(), 11U);
  EXPECT_DOUBLE_EQ(stats.network_loss_rate(), 100.0 * 11 / 160);
  EXPECT_DOUBLE_EQ(stats.jitter_ms(), 2.0);
  EXPECT_DOUBLE_EQ(stats.round_trip_ms(), 30.0);
  EXPECT_GT(stats.avg_latency_ms(), 0.0);
}

TEST(GrpcStats, a_session_without_traffic_has_zeros_and_no_division) {
  const auto stats = stats_of({});
  EXPECT_EQ(stats.packets_received(), 0U);
  EXPECT_EQ(stats.packet_loss_rate(), 0.0);
  EXPECT_EQ(stats.avg_latency_ms(), 0.0);
  EXPECT_EQ(stats.from_client().jitter_ms(), 0.0);
}

TEST(GrpcStats, jitter_of_a_dynamic_type_is_not_guessed) {
  auto view = a_view();
  view.sides[0].rtp_counters = counters([](auto& c) {
    c.set(Count::rtp_jitter_last, 16'000);
    c.set(Count::rtp_payload_type, 111);
  });
  EXPECT_EQ(stats_of(view).from_client().jitter_ms(), 0.0);
}

TEST(GrpcSessionInfo, tells_what_the_view_holds) {
  auto view = a_view();
  view.state = session::State::failed;
  view.error = "connect 192.0.2.1:80: Connection refused";
  view.created = WallTime{std::chrono::milliseconds{1'700'000'000'999}};
  view.sides[0].local = *net::Endpoint::parse("192.0.2.1:5000");
  view.sides[0].remote = *net::Endpoint::parse("203.0.113.5:4000");
  view.sides[1].local = *net::Endpoint::parse("[2001:db8::1]:6000");
  view.sides[1].signalled = *net::Endpoint::parse("[2001:db8::9]:7000");
  view.sides[1].transport = flow::Transport::framed_stream;
  view.idle_timeout = std::chrono::hours{2'000'000};
  view.labels = {{"a", "b"}};
  view.owner = "ops";
  view.note = "n";
  ::rtpproxy::SessionInfo info;
  write_session(view, info);
  EXPECT_EQ(info.session_id(), "a1");
  EXPECT_EQ(info.state(), ::rtpproxy::ERROR);
  EXPECT_EQ(info.error_message(), view.error);
  EXPECT_EQ(info.created_at(), 1'700'000'000);
  EXPECT_EQ(info.last_activity_at(), 0);
  EXPECT_EQ(info.listen_endpoint().address(), "192.0.2.1");
  EXPECT_EQ(info.listen_endpoint().port(), 5000U);
  EXPECT_EQ(info.client_endpoint().address(), "203.0.113.5");
  EXPECT_EQ(info.forward_endpoint().address(), "2001:db8::1");
  EXPECT_EQ(info.destination_endpoint().port(), 7000U);
  EXPECT_EQ(info.protocol(), ::rtpproxy::UDP);
  EXPECT_EQ(info.forward_protocol(), ::rtpproxy::TCP);
  EXPECT_EQ(info.framing(), ::rtpproxy::FRAMING_RFC4571);
  EXPECT_EQ(info.timeout_seconds(), 4294967295U);
  EXPECT_EQ(info.labels().at("a"), "b");
  EXPECT_EQ(info.owner(), "ops");
  EXPECT_FALSE(info.call());
}

TEST(GrpcSessionInfo, a_call_is_named_by_its_call_id_and_tag_and_is_always_utf8) {
  session::View view;
  view.call_id = "call\xff";
  view.sides[0].name = "tag;1";
  ::rtpproxy::SessionInfo info;
  write_session(view, info);
  EXPECT_EQ(info.session_id(), "call\xef\xbf\xbd/tag;1");
  EXPECT_TRUE(info.call());
  EXPECT_FALSE(info.SerializeAsString().empty());
}

}  // namespace
}  // namespace millrace::control::grpc
