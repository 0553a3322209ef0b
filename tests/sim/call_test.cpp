// Whole calls over a bad network. A failure names its seed; MILLRACE_SEED=N replays it.

#include <gtest/gtest.h>

#include <array>

#include "sim/scene.hpp"

namespace millrace::sim {
namespace {

using flow::LatchPolicy;
using session::Side;

constexpr std::array kPolicies{LatchPolicy::safe, LatchPolicy::reference};

std::string trace_of(std::uint64_t seed, LatchPolicy policy) {
  return "MILLRACE_SEED=" + std::to_string(seed) + (policy == LatchPolicy::safe ? " safe" : " reference");
}

Quality bad_network(Random& random) {
  return {.loss = 0.01 * static_cast<double>(random.below(8)),
          .repeat = 0.01 * static_cast<double>(random.below(5)),
          .delay = milliseconds{random.between(1, 60)},
          .jitter = milliseconds{random.between(0, 50)}};
}

SceneOptions random_options(std::uint64_t seed, LatchPolicy policy) {
  Random random{seed};
  return {.seed = seed,
          .policy = policy,
          .quality = bad_network(random),
          .caller_behind_nat = random.chance(0.5),
          .callee_behind_nat = random.chance(0.5)};
}

// Both ends are where the phones are, and audio comes out of both.
void expect_audio(Scene& scene) {
  EXPECT_EQ(scene.destination(Side::offerer), scene.caller->seen_as());
  EXPECT_EQ(scene.destination(Side::answerer), scene.callee->seen_as());
  const auto caller = scene.caller->heard(), callee = scene.callee->heard();
  scene.schedule.run_for(milliseconds{500});
  EXPECT_GT(scene.caller->heard(), caller + 10) << "of 25 packets";
  EXPECT_GT(scene.callee->heard(), callee + 10) << "of 25 packets";
}

TEST(Call, carries_media_both_ways_over_any_network_and_through_any_nat) {
  for (const LatchPolicy policy : kPolicies) {
    for (const std::uint64_t seed : seeds(150)) {
      SCOPED_TRACE(trace_of(seed, policy));
      Scene scene{random_options(seed, policy)};
      scene.place_call();
      scene.schedule.run_for(milliseconds{700});
      expect_audio(scene);
      scene.hang_up();
      scene.let_settle();
      expect_conservation(scene);
      if (HasFailure()) return;
    }
  }
}

TEST(Call, loses_nothing_of_a_clean_network) {
  for (const LatchPolicy policy : kPolicies) {
    SceneOptions options{.policy = policy};
    Scene scene{options};
    scene.place_call();
    scene.schedule.run_for(seconds{2});
    scene.caller->hush();
    scene.callee->hush();
    scene.schedule.run_for(milliseconds{100});
    EXPECT_EQ(scene.callee->heard(), scene.caller->sent());
    // The callee sent early media before there was anybody to relay it to.
    const auto early = scene.connection()->counters(Side::answerer).party_rtp[flow::Drop::not_complete];
    EXPECT_GT(early, 0U);
    EXPECT_EQ(scene.caller->heard() + early, scene.callee->sent());
    EXPECT_EQ(scene.callee->heard_rtcp(), 3U) << "one a second, from the first packet on";
    EXPECT_GE(scene.caller->heard_rtcp(), 1U);
    scene.let_settle();
    expect_conservation(scene);
  }
}

TEST(Call, goes_on_after_a_nat_has_given_its_phone_another_port) {
  for (const LatchPolicy policy : kPolicies) {
    for (const std::uint64_t seed : seeds(40)) {
      SCOPED_TRACE(trace_of(seed, policy));
      SceneOptions options = random_options(seed, policy);
      options.caller_behind_nat = true;
      // The window of numbers that prove a moved stream must be newer than the last one heard.
      options.quality.jitter = milliseconds{random_options(seed, policy).quality.jitter.count() % 15};
      Scene scene{options};
      scene.place_call();
      scene.schedule.run_for(seconds{2});
      scene.caller_nat->rebind();
      scene.schedule.run_for(milliseconds{800});
      expect_audio(scene);
      scene.hang_up();
      scene.let_settle();
      expect_conservation(scene);
      if (HasFailure()) return;
    }
  }
}

// What a controller does in the middle of a call, in any order.
void disturb(Scene& scene) {
  switch (scene.random.below(5)) {
    case 0: scene.offer(scene.caller->signalled()); break;
    case 1:
      scene.offer(net::Endpoint{net::Address::any(net::Family::ipv4), Port{4000}});
      scene.schedule.run_for(milliseconds{300});
      scene.offer(scene.caller->signalled());
      break;
    case 2: scene.callee->talk_to(Scene::local_of(scene.offer(scene.caller->signalled(), true))); break;
    case 3: scene.move_caller(); break;
    case 4: scene.answer(scene.callee->signalled()); break;
  }
}

TEST(Call, survives_holds_moves_and_new_ports_in_any_order) {
  for (const LatchPolicy policy : kPolicies) {
    for (const std::uint64_t seed : seeds(80)) {
      SCOPED_TRACE(trace_of(seed, policy));
      Scene scene{random_options(seed, policy)};
      scene.place_call();
      for (auto left = scene.random.between(1, 4); left > 0; --left) {
        scene.schedule.run_for(milliseconds{scene.random.between(100, 600)});
        disturb(scene);
      }
      scene.schedule.run_for(milliseconds{1500});
      expect_audio(scene);
      if (scene.random.chance(0.5)) {
        scene.hang_up();
      } else {
        scene.caller->hush();
        scene.callee->hush();
      }
      scene.let_settle();
      expect_conservation(scene);
      if (HasFailure()) return;
    }
  }
}

TEST(Call, that_falls_silent_ends_between_its_ttl_and_a_second_later) {
  for (const std::uint64_t seed : seeds(60)) {
    SCOPED_TRACE(trace_of(seed, LatchPolicy::safe));
    Scene scene{random_options(seed, LatchPolicy::safe)};
    scene.place_call();
    scene.schedule.run_for(milliseconds{scene.random.between(200, 3000)});
    scene.caller->hush();
    if (scene.random.chance(0.5)) scene.schedule.run_for(milliseconds{scene.random.between(0, 8000)});
    EXPECT_NE(scene.connection(), nullptr) << "one party is enough";
    scene.callee->hush();
    scene.let_settle();
    ASSERT_EQ(scene.node.ended().size(), 1U);
    const Node::Ended& ended = scene.node.ended().front();
    EXPECT_EQ(std::get<session::ConnectionEnded>(ended.change.what).reason, session::EndReason::idle_timeout);
    EXPECT_GE(ended.at - ended.last_accepted, kIdle);
    EXPECT_LE(ended.at - ended.last_accepted, kIdle + seconds{1});
    expect_conservation(scene);
    if (HasFailure()) return;
  }
}

TEST(Call, that_nobody_answers_ends_and_never_relays) {
  Scene scene{{}};
  scene.invite();
  scene.let_settle();
  ASSERT_EQ(scene.node.ended().size(), 1U);
  EXPECT_EQ(std::get<session::ConnectionEnded>(scene.node.ended().front().change.what).reason,
            session::EndReason::setup_timeout);
  EXPECT_EQ(scene.node.calls().totals().packets_relayed, 0U);
  scene.callee->hush();
  EXPECT_GT(scene.node.to_nobody(), 0U) << "the port was closed under the talking callee";
  scene.schedule.run_for(seconds{1});
  expect_conservation(scene);
}

// A third party that sends RTP to every media port of the node, and counts what it gets for it.
class Thief {
 public:
  explicit Thief(Scene& scene) : scene_{scene} {
    scene_.network.attach(kAt.address, [this](const Packet& got) {
      const bool from_rtp_port = got.from.port.value() % 2 == 0;
      ++(from_rtp_port ? stolen_ : stolen_rtcp_);
    });
  }
  void spray() {
    if (scene_.connection() == nullptr) return;
    for (const Side side : {Side::offerer, Side::answerer}) {
      const session::MediaStream& stream = scene_.connection()->stream(side);
      if (!stream.has_ports()) continue;
      for (const auto& to : {stream.local, stream.local.next_port()}) {
        const auto sequence = static_cast<std::uint16_t>(scene_.random.below(65536));
        scene_.network.send({.from = kAt, .to = to, .bytes = rtp_bytes(sequence, 0xbad)});
      }
    }
    scene_.schedule.after(milliseconds{10}, [this] { spray(); });
  }
  [[nodiscard]] std::uint64_t stolen() const { return stolen_; }  // from RTP ports
  [[nodiscard]] std::uint64_t stolen_rtcp() const { return stolen_rtcp_; }

 private:
  static inline const net::Endpoint kAt{net::Address::ipv4(0xc6336401), Port{6666}};
  Scene& scene_;
  std::uint64_t stolen_ = 0, stolen_rtcp_ = 0;
};

bool heard_rtcp(const Scene& scene, Side side) {
  return scene.connection()->counters(side).party_rtcp[flow::Count::packets_in] > 0;
}

TEST(Thief, gets_nothing_once_the_parties_have_been_heard_for_a_window) {
  for (const std::uint64_t seed : seeds(60)) {
    SCOPED_TRACE(trace_of(seed, LatchPolicy::safe));
    Scene scene{random_options(seed, LatchPolicy::safe)};
    Thief thief{scene};
    scene.place_call();
    scene.schedule.run_for(milliseconds{1500});
    const bool rtcp_heard = heard_rtcp(scene, Side::offerer) && heard_rtcp(scene, Side::answerer);
    thief.spray();
    scene.schedule.run_for(seconds{2});
    EXPECT_EQ(thief.stolen(), 0U);
    if (rtcp_heard) {
      EXPECT_EQ(thief.stolen_rtcp(), 0U);
    }
    expect_audio(scene);
    EXPECT_GT(scene.connection()->counters(Side::offerer).party_rtp[flow::Drop::wrong_source], 100U);
    scene.hang_up();
    scene.let_settle();
    EXPECT_EQ(thief.stolen(), 0U);
    if (HasFailure()) return;
  }
}

// On RTP ports. RTCP ports may stay with the thief until the party's own RTCP comes, and that may be seconds.
TEST(Thief, that_comes_first_is_displaced_by_the_signalled_address) {
  for (const std::uint64_t seed : seeds(60)) {
    SCOPED_TRACE(trace_of(seed, LatchPolicy::safe));
    SceneOptions options = random_options(seed, LatchPolicy::safe);
    options.caller_behind_nat = options.callee_behind_nat = false;
    Scene scene{options};
    Thief thief{scene};
    scene.invite();
    thief.spray();
    scene.schedule.run_for(milliseconds{400});
    scene.pick_up();
    scene.schedule.run_for(milliseconds{700});
    const auto before = thief.stolen();
    expect_audio(scene);
    EXPECT_EQ(thief.stolen(), before);
    scene.hang_up();
    scene.let_settle();
    if (HasFailure()) return;
  }
}

TEST(Replay, of_one_seed_is_the_same_call) {
  std::array<std::array<std::uint64_t, 4>, 2> runs{};
  for (auto& run : runs) {
    Scene scene{random_options(42, LatchPolicy::safe)};
    scene.place_call();
    scene.schedule.run_for(seconds{2});
    scene.hang_up();
    scene.let_settle();
    const Network::Counts& network = scene.network.counts();
    run = {network.sent, network.lost, network.delivered, scene.caller->heard()};
  }
  EXPECT_EQ(runs[0], runs[1]);
  EXPECT_GT(runs[0][0], 100U);
}

}  // namespace
}  // namespace millrace::sim
