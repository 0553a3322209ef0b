#include "dataplane/socket/reports.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "base/testing.hpp"
#include "dataplane/socket/relay.hpp"
#include "dataplane/socket/testing.hpp"

namespace millrace::dataplane {
namespace {

using flow::Count;
using flow::Slot;
using millrace::testing::from_hex;
using std::chrono::milliseconds;
using testing::Call;
using testing::endpoint;

void put(std::vector<std::byte>& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::byte>(value >> shift));
}

struct Block {
  std::uint32_t last_sr, delay;   // delay in 2^-16 s
  std::int32_t lost = 0;
  std::uint32_t jitter = 0;
  std::uint8_t fraction = 0;
};
void put(std::vector<std::byte>& bytes, const Block& block) {
  put(bytes, 1);   // of which source
  put(bytes, std::uint32_t{block.fraction} << 24 | (static_cast<std::uint32_t>(block.lost) & 0xffffff));
  put(bytes, 1000);
  put(bytes, block.jitter);
  put(bytes, block.last_sr);
  put(bytes, block.delay);
}

constexpr std::uint32_t kMiddle = 0x56781234;   // of the NTP time in sender_report()

std::vector<std::byte> sender_report(const std::optional<Block>& block = {}) {
  std::vector<std::byte> bytes;
  put(bytes, 0x80c80006 | (block ? 0x01000006u : 0u));
  for (const std::uint32_t word : {7u, 0x12345678u, 0x12349abcu, 160u, 1u, 160u}) put(bytes, word);
  if (block) {
    bytes[3] = std::byte{12};
    put(bytes, *block);
  }
  return bytes;
}
std::vector<std::byte> receiver_report(const Block& block) {
  std::vector<std::byte> bytes;
  put(bytes, 0x81c90007);
  put(bytes, 8);
  put(bytes, block);
  return bytes;
}

class ReportsTest : public ::testing::Test {
 protected:
  void install() { connections_.install(call_.plan, {}, now_, closed_); }
  // From where the peer of the port is.
  void arrive(Slot slot, std::vector<std::byte> bytes) {
    const Datagram in{.bytes = bytes, .from = call_.port(slot).signalled, .stamp = {}};
    Sends sends;
    relay_.on_datagram(connections_.find(ConnectionId{1})->port(slot), in, now_, sends);
    for (Send& send : sends) send.sent = true;
    relay_.on_sent(connections_.find(ConnectionId{1})->port(slot), in, sends, now_.wall);
  }
  void wait(milliseconds time) {
    now_.mono += time;
    now_.wall += time;
  }
  std::uint64_t count(Slot slot, Count what) { return call_.sample(slot)[what]; }

  flow::CounterArena arena_;
  Call call_{arena_};
  Connections connections_;
  Relay relay_{connections_};
  Closed closed_;
  Now now_{.mono = TimePoint{std::chrono::hours{1}}, .wall = WallTime{std::chrono::hours{9}}};
};

TEST_F(ReportsTest, a_report_that_answers_one_of_the_other_side_gives_the_round_trip) {
  install();
  for (const bool muxed : {false, true}) {
    const Slot from = muxed ? Slot::offerer_rtp : Slot::offerer_rtcp;
    const Slot back = muxed ? Slot::answerer_rtp : Slot::answerer_rtcp;
    const milliseconds way{muxed ? 30 : 80};
    arrive(from, sender_report());
    wait(way + milliseconds{500});
    arrive(back, receiver_report({.last_sr = kMiddle, .delay = 32'768, .lost = 5, .jitter = 12, .fraction = 9}));
    EXPECT_EQ(count(Slot::answerer_rtp, Count::rtcp_round_trip_ns),
              static_cast<std::uint64_t>(Nanoseconds{way}.count()));
    EXPECT_EQ(count(Slot::answerer_rtp, Count::rtcp_reported_lost), 5u);
    EXPECT_EQ(count(Slot::answerer_rtp, Count::rtcp_reported_jitter), 12'000u);
    EXPECT_EQ(count(Slot::answerer_rtp, Count::rtcp_reported_fraction), 9u);
    EXPECT_EQ(count(Slot::offerer_rtp, Count::rtcp_round_trip_ns), 0u) << "that side has not reported";
  }
}

TEST_F(ReportsTest, both_sides_may_send_and_report_in_one) {
  install();
  arrive(Slot::answerer_rtcp, sender_report());
  wait(milliseconds{40});
  arrive(Slot::offerer_rtcp, sender_report(Block{.last_sr = kMiddle, .delay = 0}));
  EXPECT_EQ(count(Slot::offerer_rtp, Count::rtcp_round_trip_ns), 40'000'000u);
}

struct ReportCase {
  std::string_view name;
  Block block;
  std::uint64_t round_trip_ns, lost;
};

TEST_F(ReportsTest, believes_no_round_trip_that_cannot_be) {
  install();
  arrive(Slot::offerer_rtcp, sender_report());
  wait(milliseconds{100});
  const std::array cases{
      ReportCase{"no sender report had come", {.last_sr = 0, .delay = 0, .lost = 1}, 0, 1},
      ReportCase{"another one is meant", {.last_sr = kMiddle + 1, .delay = 0, .lost = 2}, 0, 2},
      ReportCase{"held for longer than it was away", {.last_sr = kMiddle, .delay = 65'536, .lost = 3}, 0, 3},
      ReportCase{"copies make the loss negative", {.last_sr = kMiddle, .delay = 0, .lost = -4}, 100'000'000, 0},
  };
  for (const ReportCase& c : cases) {
    arrive(Slot::answerer_rtcp, receiver_report(c.block));
    EXPECT_EQ(count(Slot::answerer_rtp, Count::rtcp_round_trip_ns), c.round_trip_ns) << c.name;
    EXPECT_EQ(count(Slot::answerer_rtp, Count::rtcp_reported_lost), c.lost) << c.name;
  }
}

TEST_F(ReportsTest, a_sender_report_that_was_not_passed_on_is_not_waited_for) {
  call_.port(Slot::answerer_rtcp).signalled = {};
  install();
  arrive(Slot::offerer_rtcp, sender_report());
  wait(milliseconds{100});
  arrive(Slot::answerer_rtcp, receiver_report({.last_sr = kMiddle, .delay = 0}));
  EXPECT_EQ(count(Slot::answerer_rtp, Count::rtcp_round_trip_ns), 0u);
}

TEST_F(ReportsTest, bad_rtcp_is_relayed_as_it_came_and_tells_nothing) {
  install();
  auto cut = receiver_report({.last_sr = kMiddle, .delay = 0, .lost = 5});
  cut.resize(cut.size() - 4);
  const std::vector<std::vector<std::byte>> all{cut, from_hex("80c8"), from_hex("80c90001"), from_hex("9fc900010000"),
                                                from_hex("")};
  for (const auto& bytes : all) arrive(Slot::answerer_rtcp, bytes);
  EXPECT_EQ(count(Slot::answerer_rtcp, Count::packets_relayed), all.size());
  EXPECT_EQ(count(Slot::answerer_rtp, Count::rtcp_reported_lost), 0u);
}

TEST_F(ReportsTest, a_side_without_an_rtp_port_has_nowhere_to_be_counted) {
  std::erase_if(call_.plan.ports, [](const auto& port) { return port.slot == Slot::answerer_rtp; });
  install();
  arrive(Slot::answerer_rtcp, receiver_report({.last_sr = kMiddle, .delay = 0, .lost = 5}));
  EXPECT_EQ(count(Slot::answerer_rtcp, Count::packets_relayed), 1u);
}

}  // namespace
}  // namespace millrace::dataplane
