#include "mrload/call_control.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "mrload/bare_relay.hpp"
#include "mrload/generator.hpp"

namespace millrace::mrload {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kRun = 0xab00'0000;
const net::Address kLoopback = *net::Address::parse("127.0.0.1");

// The bare relay on a thread of its own, which ends with the test.
class Relay {
 public:
  Relay()
      : relay_{*BareRelay::open({kLoopback, Port{0}})}, thread_{[this](const std::stop_token& stop) {
          while (!stop.stop_requested()) relay_.turn(std::chrono::milliseconds{20});
        }} {}
  [[nodiscard]] const net::Endpoint& control() const { return relay_.control(); }

 private:
  BareRelay relay_;
  std::jthread thread_;
};

CallControl control_of(const net::Endpoint& relay, std::uint32_t window, const std::vector<Sides>& local) {
  return *CallControl::open(
      {.protocol = Protocol::rtpproxy, .relay = relay, .window = window, .run = kRun, .local = local});
}

TEST(CallControl, carries_media_of_every_call_to_its_own_peer) {
  const Relay relay;
  const auto sockets = MediaSockets::open(kLoopback, 2);
  ASSERT_TRUE(sockets) << sockets.error();
  auto control = control_of(relay.control(), 8, sockets->local());
  SetupPlan plan{20, 20};
  const auto placed = control.run(plan);
  ASSERT_TRUE(placed) << placed.error();

  Traffic traffic;
  traffic.calls = 20;
  traffic.run = kRun;
  traffic.duration = std::chrono::milliseconds{200};
  traffic.warm_up = std::chrono::milliseconds{100};
  int edges = 0;
  const auto counts = Generator{*sockets, control.send_to(), traffic}.run([&] { ++edges; });
  ASSERT_TRUE(counts) << counts.error().message();
  EXPECT_EQ(edges, 2);
  EXPECT_EQ(counts->sent, (std::array<std::uint64_t, 2>{200, 200}));
  EXPECT_EQ(counts->received, counts->sent);
  EXPECT_EQ(counts->warm_up_lost + counts->duplicates + counts->wrong + counts->foreign, 0u);
  EXPECT_EQ(counts->delay.count() + counts->bad_stamps, 400u);

  plan.tear_down();
  EXPECT_TRUE(control.run(plan));
  EXPECT_EQ(plan.open(), 0u);
}

TEST(CallControl, sees_packets_that_come_out_of_the_wrong_call) {
  const Relay relay;
  const auto sockets = MediaSockets::open(kLoopback, 1);
  ASSERT_TRUE(sockets) << sockets.error();
  auto control = control_of(relay.control(), 1, sockets->local());
  SetupPlan plan{2, 2};
  ASSERT_TRUE(control.run(plan));
  auto crossed = control.send_to();
  std::swap(crossed[0], crossed[1]);
  crossed[0][1] = control.send_to()[0][1];   // callers into one another's calls, callees into their own
  crossed[1][1] = control.send_to()[1][1];

  Traffic traffic;
  traffic.calls = 2;
  traffic.run = kRun;
  traffic.duration = std::chrono::milliseconds{100};
  traffic.warm_up = std::chrono::milliseconds{0};
  const auto counts = Generator{*sockets, crossed, traffic}.run([] {});
  ASSERT_TRUE(counts) << counts.error().message();
  EXPECT_EQ(counts->received[0], 0u);
  EXPECT_EQ(counts->wrong, counts->all_sent());
}

TEST(CallControl, quotes_the_error_of_a_relay_that_refuses) {
  const Relay relay;
  auto control = control_of(relay.control(), 1, {Sides{net::Endpoint{kLoopback, Port{4000}}, net::Endpoint{}}});
  SetupPlan plan{1, 1};
  const auto placed = control.run(plan);   // the callee has no address: "L ... 0" does not parse there
  ASSERT_FALSE(placed);
  EXPECT_THAT(placed.error(), HasSubstr("answer of call 1"));
  EXPECT_THAT(placed.error(), HasSubstr("E37"));
}

TEST(ControlSocket, asks_one_question) {
  const Relay relay;
  auto socket = ControlSocket::open(relay.control(), kRun);
  ASSERT_TRUE(socket);
  EXPECT_EQ(socket->ask("V"), "20040107");
  EXPECT_EQ(socket->ask("D nobody f t"), "E50");
}

}  // namespace
}  // namespace millrace::mrload
