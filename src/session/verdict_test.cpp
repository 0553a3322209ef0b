#include "session/verdict.hpp"

#include <gtest/gtest.h>

#include "session/testing.hpp"

namespace millrace::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const net::Endpoint kPhone = testing::endpoint("192.0.2.1:4000");

PartyEvidence talking() {
  return {.accepted = 500, .silence = milliseconds{20}, .signalled = kPhone, .expected = kPhone};
}
PartyEvidence stopped() { return {.accepted = 500, .silence = seconds{12}, .signalled = kPhone, .expected = kPhone}; }
PartyEvidence never() { return {.signalled = kPhone, .expected = kPhone}; }
PartyEvidence unknown() { return {}; }
PartyEvidence held() { return {.held = true, .signalled = kPhone, .expected = kPhone}; }
PartyEvidence refused() { return {.refused = 31, .signalled = kPhone, .expected = kPhone}; }
PartyEvidence failing() {
  return {.accepted = 500, .send_failed = 499, .silence = milliseconds{20}, .signalled = kPhone, .expected = kPhone};
}
PartyEvidence to_nobody() {
  return {.accepted = 500, .no_destination = 500, .silence = milliseconds{20}, .signalled = kPhone, .expected = kPhone};
}

struct Case {
  Evidence evidence;
  std::string_view expected;
};

Evidence after(seconds age, PartyEvidence offerer, PartyEvidence answerer) {
  return {.complete = true, .age = age, .offerer = std::move(offerer), .answerer = std::move(answerer)};
}

TEST(Verdict, says_in_one_line_what_is_wrong) {
  const std::vector<Case> cases{
      {{.age = seconds{4}}, "waiting for the answer since 4 s"},
      {after(seconds{30}, talking(), talking()), "media flows both ways"},
      {after(seconds{2}, never(), never()), "just answered, no media yet"},
      {after(seconds{12}, talking(), never()), "no packet from the callee since 12 s: its NAT or firewall"},
      {after(seconds{12}, never(), talking()), "no packet from the caller since 12 s: its NAT or firewall"},
      {after(seconds{12}, talking(), unknown()),
       "no packet from the callee since 12 s, and its address was never signalled"},
      {after(seconds{60}, talking(), stopped()),
       "no packet from the callee since 12 s: it stopped, or its network did"},
      {after(seconds{60}, held(), talking()), "on hold by the caller"},
      {after(seconds{60}, talking(), held()), "on hold by the callee"},
      {after(seconds{60}, held(), held()), "on hold by both"},
      {after(seconds{12}, refused(), talking()),
       "packets from the caller come from an unexpected source: 31 refused, expected 192.0.2.1:4000"},
      {after(seconds{12}, refused(), never()),
       "packets from the caller come from an unexpected source: 31 refused, expected 192.0.2.1:4000"},
      {after(seconds{12}, failing(), never()),
       "499 packets to the callee could not be sent: is 192.0.2.1:4000 reachable from here?"},
      {after(seconds{12}, to_nobody(), unknown()),
       "the callee cannot be reached yet: no address signalled and no packet from it"},
      {after(seconds{12}, never(), never()),
       "no packet from either side since 12 s: do both send to the addresses they were given?"},
      {after(seconds{60}, stopped(), stopped()), "silence from both sides since 12 s"},
      {after(seconds{60}, stopped(), never()), "silence from both sides since 12 s"},
      {{.complete = true, .listens_only = true, .age = seconds{9}}, "a copy of another connection's media leaves here"},
  };
  for (const Case& c : cases) EXPECT_EQ(verdict(c.evidence), c.expected);
}

TEST(Verdict, reads_its_evidence_from_counters_and_time) {
  testing::World world;
  world.offer("c1", "192.0.2.1:4000", "f");
  const auto verdict_now = [&] { return verdict(world.calls.find("c1")->connections().front(), world.now); };
  EXPECT_EQ(verdict_now(), "waiting for the answer since 0 s");
  world.answer("c1", "192.0.2.2:4000", "f", "t");
  for (int second = 0; second < 12; ++second) {
    flow::CounterBlock& block = *testing::World::port(world.only_plan(), flow::Slot::offerer_rtp).counters;
    block.add(flow::Count::packets_in, 50);
    world.pass(seconds{1});
    block.set(flow::Count::last_in_mono_ns, static_cast<std::uint64_t>(world.now.mono.time_since_epoch().count()));
  }
  EXPECT_EQ(verdict_now(), "no packet from the callee since 12 s: its NAT or firewall");
}

}  // namespace
}  // namespace millrace::session
