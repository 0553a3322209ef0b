#include "dataplane/socket/relay.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/testing.hpp"
#include "dataplane/socket/testing.hpp"

namespace millrace::dataplane {
namespace {

using flow::Count;
using flow::Drop;
using flow::Slot;
using millrace::testing::from_hex;
using std::chrono::milliseconds;
using testing::Call;
using ::testing::ElementsAre;
using testing::endpoint;
using testing::endpoint_of;
using testing::rtp_packet;

const net::Endpoint kOfferer = endpoint("192.0.2.1:4000");        // as Call signals them
const net::Endpoint kOffererRtcp = endpoint("192.0.2.1:4001");
const net::Endpoint kAnswerer = endpoint("192.0.2.2:4002");
const net::Endpoint kStranger = endpoint("203.0.113.9:9000");

Now at(milliseconds since_start) {
  return {.mono = TimePoint{std::chrono::hours{1} + since_start},
          .wall = WallTime{std::chrono::hours{9} + since_start}};
}

struct Out {
  Slot slot;
  net::Endpoint to;
  std::size_t size;
  friend bool operator==(const Out&, const Out&) = default;
};
void PrintTo(const Out& out, std::ostream* stream) {
  *stream << "slot " << static_cast<int>(out.slot) << " to " << out.to.to_string() << ", " << out.size << " bytes";
}

// A relay with one call, and a clock that tests set.
struct House {
  House() = default;
  void install() { install(call); }
  void install(const Call& which) { connections.install(which.plan, {}, at(now), closed); }

  // What leaves for a datagram that arrives.
  std::vector<Out> arrive(Slot slot, std::vector<std::byte> bytes, const net::Endpoint& from, bool kernel_takes = true,
                          ConnectionId id = ConnectionId{1}) {
    Datagram in{.bytes = bytes, .from = from, .stamp = stamp, .too_long = too_long};
    MediaPort& port = connections.find(id)->port(slot);
    Sends sends;
    relay.on_datagram(port, in, at(now), sends);
    std::vector<Out> out;
    for (Send& send : sends) {
      EXPECT_EQ(send.bytes.data(), bytes.data());   // as it came, not a copy
      out.push_back({send.out->slot, endpoint_of(send.out->destination), send.bytes.size()});
      send.sent = kernel_takes;
    }
    latency = relay.on_sent(port, in, sends, at(now).wall + sending);
    return out;
  }

  flow::CounterArena arena;
  Call call{arena};
  Connections connections;
  Relay relay{connections};
  Closed closed;
  milliseconds now{0};
  WallTime stamp{};
  bool too_long = false;
  Nanoseconds sending{0};
  std::optional<Nanoseconds> latency;
};

struct DropCase {
  std::string_view name;
  Drop reason;
  std::function<void(House&)> prepare;
  bool kernel_takes = true;
};

TEST(Relay, names_every_way_in_which_a_packet_can_end) {
  const std::vector<DropCase> cases{
      {"the other leg is not named yet", Drop::not_complete, [](House& h) { h.call.plan.complete = false; }},
      {"only the signalled address may speak", Drop::wrong_source,
       [](House& h) { h.call.port(Slot::offerer_rtp).latching.policy = flow::LatchPolicy::strict; }},
      {"nobody knows where the other side is", Drop::no_destination,
       [](House& h) { h.call.port(Slot::answerer_rtp).signalled = {}; }},
      {"the other side is on hold from the start", Drop::no_destination,
       [](House& h) { h.call.port(Slot::answerer_rtp).signalled = endpoint("0.0.0.0:4002"); }},
      {"nothing subscribes", Drop::no_egress, [](House& h) { h.call.port(Slot::offerer_rtp).egresses.clear(); }},
      {"what subscribes is not here", Drop::no_egress,
       [](House& h) { h.call.port(Slot::offerer_rtp).egresses[0].connection = ConnectionId{99}; }},
      {"what subscribes has no such port", Drop::no_egress,
       [](House& h) { h.call.plan.ports.erase(h.call.plan.ports.begin() + 2); }},
      {"more than a datagram may hold", Drop::too_long, [](House& h) { h.too_long = true; }},
      {"the kernel refuses", Drop::send_failed, [](House&) {}, false},
  };
  for (const DropCase& c : cases) {
    House house;
    c.prepare(house);
    house.install();
    const auto out = house.arrive(Slot::offerer_rtp, rtp_packet(1), kStranger, c.kernel_takes);
    EXPECT_EQ(out.empty(), c.reason != Drop::send_failed) << c.name;
    const auto counters = house.call.sample(Slot::offerer_rtp);
    EXPECT_EQ(counters[c.reason], 1u) << c.name;
    EXPECT_EQ(counters.dropped(), 1u) << c.name;
    EXPECT_EQ(house.relay.drops()[c.reason], 1u) << c.name;
    EXPECT_EQ(counters[Count::packets_relayed], 0u) << c.name;
  }
}

TEST(Relay, does_not_count_or_learn_from_what_it_did_not_accept) {
  House house;
  house.call.plan.complete = false;
  house.install();
  house.arrive(Slot::offerer_rtp, rtp_packet(1), kStranger);
  EXPECT_EQ(house.call.sample(Slot::offerer_rtp)[Count::packets_in], 0u);
  EXPECT_EQ(endpoint_of(house.connections.find(ConnectionId{1})->port(Slot::offerer_rtp).destination), kOfferer);
}

TEST(Relay, sends_to_the_signalled_address_until_a_packet_teaches_a_better_one) {
  House house;
  house.install();
  EXPECT_THAT(house.arrive(Slot::offerer_rtp, rtp_packet(1), kOfferer),
              ElementsAre(Out{Slot::answerer_rtp, kAnswerer, 172}));
  const auto behind_nat = endpoint("198.51.100.7:31000");
  EXPECT_THAT(house.arrive(Slot::answerer_rtp, rtp_packet(1), behind_nat),
              ElementsAre(Out{Slot::offerer_rtp, kOfferer, 172}));
  EXPECT_THAT(house.arrive(Slot::offerer_rtp, rtp_packet(2), kOfferer),
              ElementsAre(Out{Slot::answerer_rtp, behind_nat, 172}));
}

TEST(Relay, lists_a_port_once_for_control_however_often_its_remote_changes) {
  House house;
  house.install();
  while (house.connections.changed() != nullptr) house.connections.changed_was_told();   // the signalled ones
  house.arrive(Slot::answerer_rtcp, from_hex("80c9000100000001"), endpoint("198.51.100.7:31001"));
  house.arrive(Slot::answerer_rtcp, from_hex("80c9000100000001"), endpoint("192.0.2.2:31002"));
  MediaPort* changed = house.connections.changed();
  ASSERT_NE(changed, nullptr);
  EXPECT_EQ(changed->slot, Slot::answerer_rtcp);
  house.connections.changed_was_told();
  EXPECT_EQ(house.connections.changed(), nullptr);
}

TEST(Relay, sends_rtcp_where_rtp_was_learned_from_until_rtcp_itself_comes) {
  House house;
  house.install();
  house.arrive(Slot::offerer_rtp, rtp_packet(1), endpoint("198.51.100.7:31000"));
  const auto report = from_hex("80c9000100000001");
  EXPECT_THAT(house.arrive(Slot::answerer_rtcp, report, endpoint("192.0.2.2:4003")),
              ElementsAre(Out{Slot::offerer_rtcp, endpoint("198.51.100.7:31001"), 8}));
  house.arrive(Slot::offerer_rtcp, report, endpoint("198.51.100.7:45678"));
  EXPECT_THAT(house.arrive(Slot::answerer_rtcp, report, endpoint("192.0.2.2:4003")),
              ElementsAre(Out{Slot::offerer_rtcp, endpoint("198.51.100.7:45678"), 8}));
}

struct KindCase {
  std::string_view name, hex;
  Slot slot;
  std::uint64_t rtp, rtcp_on_rtp, not_rtp;
};

TEST(Relay, passes_on_whatever_comes_and_counts_each_kind_apart) {
  constexpr std::array kCases{
      KindCase{"RTP", "80000007 000000a0 deadbeef", Slot::offerer_rtp, 1, 0, 0},
      KindCase{"RTCP on the RTP port", "80c90001 00000001", Slot::offerer_rtp, 0, 1, 0},
      KindCase{"STUN", "0001000021 12a442000000000000000000000000", Slot::offerer_rtp, 0, 0, 1},
      KindCase{"one byte", "ff", Slot::offerer_rtp, 0, 0, 1},
      KindCase{"no byte at all", "", Slot::offerer_rtp, 0, 0, 1},
      KindCase{"RTCP on its own port", "80c90001 00000001", Slot::offerer_rtcp, 0, 0, 0},
      KindCase{"garbage on the RTCP port", "ff", Slot::offerer_rtcp, 0, 0, 0},
  };
  for (const KindCase& c : kCases) {
    House house;
    house.install();
    const auto bytes = from_hex(c.hex);
    const auto from = flow::is_rtcp(c.slot) ? kOffererRtcp : kOfferer;
    const auto out = house.arrive(c.slot, bytes, from);
    ASSERT_EQ(out.size(), 1u) << c.name;
    EXPECT_EQ(out[0].slot, flow::other_side(c.slot)) << c.name;
    EXPECT_EQ(out[0].size, bytes.size()) << c.name;
    const auto in = house.call.sample(c.slot);
    EXPECT_EQ(in[Count::packets_in], 1u) << c.name;
    EXPECT_EQ(in[Count::bytes_in], bytes.size()) << c.name;
    EXPECT_EQ(in[Count::packets_relayed], 1u) << c.name;
    EXPECT_EQ(in[Count::rtp_received], c.rtp) << c.name;
    EXPECT_EQ(in[Count::rtcp_on_rtp], c.rtcp_on_rtp) << c.name;
    EXPECT_EQ(in[Count::not_rtp], c.not_rtp) << c.name;
    const auto far = house.call.sample(flow::other_side(c.slot));
    EXPECT_EQ(far[Count::packets_out], 1u) << c.name;
    EXPECT_EQ(far[Count::bytes_out], bytes.size()) << c.name;
    EXPECT_EQ(far[Count::packets_in], 0u) << c.name;
  }
}

TEST(Relay, publishes_what_the_receiver_side_of_rtp_knows) {
  House house;
  house.install();
  for (const std::uint16_t sequence : std::initializer_list<std::uint16_t>{10, 11, 13, 12, 12, 16}) {
    house.arrive(Slot::offerer_rtp, rtp_packet(sequence, 160, 0xabcd), kOfferer);
    house.now += milliseconds{20};
  }
  const auto in = house.call.sample(Slot::offerer_rtp);
  EXPECT_EQ(in[Count::rtp_expected], 7u);
  EXPECT_EQ(in[Count::rtp_received], 5u);
  EXPECT_EQ(in[Count::rtp_duplicates], 1u);
  EXPECT_EQ(in[Count::rtp_reordered], 1u);
  EXPECT_EQ(in[Count::rtp_lost], 2u);
  EXPECT_EQ(in[Count::rtp_ssrc], 0xabcdu);
  EXPECT_EQ(in[Count::rtp_payload_type], 0u);
  EXPECT_GT(in[Count::rtp_jitter_max], 0u);
}

TEST(Relay, measures_the_longest_silence_between_two_packets) {
  House house;
  house.install();
  for (const int gap : {0, 20, 500, 20}) {
    house.now += milliseconds{gap};
    house.arrive(Slot::offerer_rtp, rtp_packet(1), kOfferer);
  }
  const auto in = house.call.sample(Slot::offerer_rtp);
  EXPECT_EQ(in[Count::longest_gap_ns], 500'000'000u);
  EXPECT_EQ(in[Count::last_in_mono_ns],
            static_cast<std::uint64_t>(at(milliseconds{540}).mono.time_since_epoch().count()));
  EXPECT_EQ(in[Count::first_in_wall_ns],
            static_cast<std::uint64_t>(at(milliseconds{0}).wall.time_since_epoch().count()));
}

struct LatencyCase {
  std::string_view name;
  std::optional<Nanoseconds> waited;  // before the relay read it; nothing: the kernel gave no stamp
  bool counted, discarded;
};

TEST(Relay, believes_a_kernel_stamp_only_within_a_second) {
  const std::array cases{
      LatencyCase{"read at once", Nanoseconds{0}, true, false},
      LatencyCase{"a second old", std::chrono::seconds{1} - milliseconds{2}, true, false},
      LatencyCase{"older: the clock was set forward", std::chrono::seconds{3}, false, true},
      LatencyCase{"from the future: the clock was set back", milliseconds{-3}, false, true},
      LatencyCase{"no stamp", std::nullopt, false, false},
  };
  for (const LatencyCase& c : cases) {
    House house;
    house.install();
    house.now = std::chrono::seconds{10};
    if (c.waited) house.stamp = at(house.now).wall - *c.waited;
    house.sending = milliseconds{2};
    house.arrive(Slot::offerer_rtp, rtp_packet(1), kOfferer);
    const auto in = house.call.sample(Slot::offerer_rtp);
    EXPECT_EQ(in[Count::latency_count], c.counted ? 1u : 0u) << c.name;
    EXPECT_EQ(in[Count::latency_discarded], c.discarded ? 1u : 0u) << c.name;
    EXPECT_EQ(house.latency.has_value(), c.counted) << c.name;
    const Nanoseconds expected = c.counted ? *c.waited + milliseconds{2} : Nanoseconds{0};
    EXPECT_EQ(in[Count::latency_sum_ns], static_cast<std::uint64_t>(expected.count())) << c.name;
    // When it arrived is the kernel's word, if it can be believed.
    const WallTime arrived = c.counted ? house.stamp : at(house.now).wall;
    EXPECT_EQ(in[Count::last_in_wall_ns], static_cast<std::uint64_t>(arrived.time_since_epoch().count())) << c.name;
  }
}

TEST(Relay, sends_small_datagrams_twice_where_the_plan_says_so) {
  House house;
  house.call.port(Slot::answerer_rtp).double_small = true;
  house.install();
  const auto largest_small = rtp_packet(1, flow::kSmallDatagram - 13);
  EXPECT_EQ(house.arrive(Slot::offerer_rtp, largest_small, kOfferer).size(), 2u);
  EXPECT_EQ(house.arrive(Slot::offerer_rtp, rtp_packet(2, flow::kSmallDatagram - 12), kOfferer).size(), 1u);
  EXPECT_EQ(house.arrive(Slot::answerer_rtp, rtp_packet(1, 10), kAnswerer).size(), 1u);   // the other way does not
  EXPECT_EQ(house.call.sample(Slot::answerer_rtp)[Count::packets_out], 3u);
  EXPECT_EQ(house.call.sample(Slot::offerer_rtp)[Count::packets_relayed], 2u);
}

TEST(Relay, joins_an_ipv4_and_an_ipv6_party) {
  House house;
  const auto v6 = endpoint("[2001:db8::2]:4002");
  house.call.port(Slot::answerer_rtp).local = endpoint("[2001:db8::1]:10012");
  house.call.port(Slot::answerer_rtp).signalled = v6;
  house.install();
  EXPECT_THAT(house.arrive(Slot::offerer_rtp, rtp_packet(1), kOfferer), ElementsAre(Out{Slot::answerer_rtp, v6, 172}));
  EXPECT_THAT(house.arrive(Slot::answerer_rtp, rtp_packet(1), v6), ElementsAre(Out{Slot::offerer_rtp, kOfferer, 172}));
}

TEST(Relay, copies_to_every_egress_and_relays_when_one_of_them_can) {
  House house;
  Call second{house.arena, 2};
  house.call.port(Slot::offerer_rtp).egresses.push_back({second.plan.id, Slot::answerer_rtp});
  house.install(second);
  house.install();
  EXPECT_THAT(house.arrive(Slot::offerer_rtp, rtp_packet(1), kOfferer),
              ElementsAre(Out{Slot::answerer_rtp, kAnswerer, 172}, Out{Slot::answerer_rtp, kAnswerer, 172}));
  EXPECT_EQ(second.sample(Slot::answerer_rtp)[Count::packets_out], 1u);
  house.connections.remove(second.plan.id, house.closed);
  EXPECT_EQ(house.arrive(Slot::offerer_rtp, rtp_packet(2), kOfferer).size(), 1u);
  EXPECT_EQ(house.call.sample(Slot::offerer_rtp).dropped(), 0u);
}

TEST(Relay, carries_as_many_egresses_as_a_port_may_have) {
  House house;
  auto& first = house.call.port(Slot::offerer_rtp);
  first.egresses.assign(flow::kMaxEgresses, {house.call.plan.id, Slot::answerer_rtp});
  house.call.port(Slot::answerer_rtp).double_small = true;
  house.install();
  EXPECT_EQ(house.arrive(Slot::offerer_rtp, rtp_packet(1, 20), kOfferer).size(), 2 * flow::kMaxEgresses);
}

TEST(Relay, lets_each_side_send_what_it_may_rtp_and_rtcp_together) {
  House house;
  house.call.plan.limit = {.packets_per_second = 10, .bits_per_second = 0, .burst = milliseconds{500}};
  house.install();
  const auto report = from_hex("80c9000100000001");
  for (std::uint16_t i = 1; i <= 4; ++i) {
    EXPECT_EQ(house.arrive(Slot::offerer_rtp, rtp_packet(i), kOfferer).size(), 1u) << i;
  }
  EXPECT_EQ(house.arrive(Slot::offerer_rtcp, report, kOffererRtcp).size(), 1u);
  EXPECT_EQ(house.arrive(Slot::offerer_rtp, rtp_packet(5), kOfferer).size(), 0u);
  EXPECT_EQ(house.arrive(Slot::offerer_rtcp, report, kOffererRtcp).size(), 0u);
  const auto in = house.call.sample(Slot::offerer_rtp);
  EXPECT_EQ(in[Drop::limit], 1u);
  EXPECT_EQ(in[Count::packets_in], 5u) << "it has arrived all the same";
  EXPECT_EQ(in[Count::packets_relayed], 4u);
  EXPECT_EQ(house.arrive(Slot::answerer_rtp, rtp_packet(1), kAnswerer).size(), 1u) << "the other side has its own";
  house.now += milliseconds{100};
  EXPECT_EQ(house.arrive(Slot::offerer_rtp, rtp_packet(6), kOfferer).size(), 1u);
  EXPECT_EQ(house.arrive(Slot::offerer_rtp, rtp_packet(7), kOfferer).size(), 0u);
  // The same plan again fills no bucket; one without a limit lets everything pass.
  house.install();
  EXPECT_EQ(house.arrive(Slot::offerer_rtp, rtp_packet(8), kOfferer).size(), 0u);
  house.call.plan.limit = {};
  house.install();
  EXPECT_EQ(house.arrive(Slot::offerer_rtp, rtp_packet(9), kOfferer).size(), 1u);
}

TEST(Relay, a_stranger_uses_up_nothing_of_what_the_peer_may_send) {
  House house;
  house.call.plan.limit = {.packets_per_second = 2, .bits_per_second = 0, .burst = milliseconds{1000}};
  house.call.port(Slot::offerer_rtp).latching.policy = flow::LatchPolicy::strict;
  house.install();
  for (std::uint16_t i = 1; i <= 10; ++i) house.arrive(Slot::offerer_rtp, rtp_packet(i), kStranger);
  EXPECT_EQ(house.arrive(Slot::offerer_rtp, rtp_packet(1), kOfferer).size(), 1u);
}

TEST(Relay, counts_bits_without_headers_of_the_network) {
  House house;
  house.call.plan.limit = {.packets_per_second = 0, .bits_per_second = 3 * 172 * 8, .burst = milliseconds{1000}};
  house.install();
  std::size_t passed = 0;
  for (std::uint16_t i = 1; i <= 10; ++i) passed += house.arrive(Slot::offerer_rtp, rtp_packet(i), kOfferer).size();
  EXPECT_EQ(passed, 3u);
}

struct CarriesCase {
  std::string_view name, hex;
  Slot slot;
  std::vector<Slot> to;
};

TEST(Relay, gives_each_egress_what_it_carries) {
  const std::vector<CarriesCase> cases{
      {"RTP", "80000007 000000a0 deadbeef", Slot::offerer_rtp, {Slot::answerer_rtp}},
      {"RTCP on the RTP port", "80c90001 00000001", Slot::offerer_rtp, {Slot::answerer_rtcp}},
      {"neither", "ff", Slot::offerer_rtp, {Slot::answerer_rtp}},
      {"RTCP on its own port", "80c90001 00000001", Slot::offerer_rtcp, {Slot::answerer_rtcp}},
  };
  for (const CarriesCase& c : cases) {
    House house;
    for (const Slot slot : {Slot::offerer_rtp, Slot::offerer_rtcp}) {
      house.call.port(slot).egresses = {{ConnectionId{1}, Slot::answerer_rtp, flow::Carries::all_but_rtcp},
                                        {ConnectionId{1}, Slot::answerer_rtcp, flow::Carries::rtcp}};
    }
    house.install();
    const auto from = flow::is_rtcp(c.slot) ? kOffererRtcp : kOfferer;
    std::vector<Slot> to;
    for (const Out& out : house.arrive(c.slot, from_hex(c.hex), from)) to.push_back(out.slot);
    EXPECT_EQ(to, c.to) << c.name;
  }
}

}  // namespace
}  // namespace millrace::dataplane
