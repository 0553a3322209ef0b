// Latching: any order of commands and packets. What must hold whatever comes: drops change nothing, a destination
// changes only when the verdict says so, and under `safe` nobody takes a locked source's place but those who may.
// Input: a byte for the rules, then steps of four bytes: what, who, how much later, and a number.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/byte_reader.hpp"
#include "base/check.hpp"
#include "flow/latching.hpp"

namespace {

using namespace millrace;
using namespace std::chrono_literals;

// Three hosts of three ports each: collisions are what it is about.
net::Endpoint endpoint_of(std::uint8_t who) {
  return {net::Address::ipv4(0xc0000201u + who % 3), Port{static_cast<std::uint16_t>(4000 + who / 3 % 3)}};
}

flow::LatchRules rules_of(int bits) {
  constexpr std::array kPolicies{flow::LatchPolicy::safe, flow::LatchPolicy::reference, flow::LatchPolicy::strict};
  return {.policy = kPolicies[bits % 3], .asymmetric = (bits & 4) != 0, .rtcp = (bits & 8) != 0};
}

struct Step {
  std::uint8_t what, who, later, number;
};

class Subject {
 public:
  explicit Subject(std::uint8_t rules) : rules_{rules_of(rules)} { latch_.set_rules(rules_, now_); }

  void run(const Step& step) {
    now_.mono += step.later * 20ms;
    now_.wall += step.later * 20ms;
    switch (step.what % 8) {
      case 0: signal(endpoint_of(step.who)); break;
      case 1: latch_.follow_rtp(endpoint_of(step.who), now_); break;
      case 2:
        if (step.number >= 16) break;  // now and then
        rules_ = rules_of(rules_.rtcp ? step.number | 8 : step.number & ~8);  // a port keeps its kind
        latch_.set_rules(rules_, now_);
        break;
      case 3: arrive({.from = endpoint_of(step.who), .rtp = std::nullopt}); break;
      default: {
        const Ssrc ssrc{static_cast<std::uint32_t>(step.what % 8 - 4)};
        arrive({.from = endpoint_of(step.who), .rtp = flow::RtpIdentity{ssrc, Seq{step.number}}});
      }
    }
    MR_CHECK(latch_.state().history.size() <= flow::kHistoryEntries);
    const auto& history = latch_.state().history;
    MR_CHECK(history.empty() || history.back().at <= now_.wall);
  }

 private:
  void signal(const net::Endpoint& endpoint) {
    latch_.signal(endpoint, now_);
    MR_CHECK(latch_.state().signalled == endpoint);
    MR_CHECK(latch_.destination().is_set());
  }

  void arrive(const flow::Arrival& arrival) {
    const flow::RemoteState before = latch_.state();
    const auto verdict = latch_.on_arrival(arrival, now_);
    const flow::RemoteState& after = latch_.state();
    if (verdict != flow::Verdict::accept_learned) {
      MR_CHECK(after.destination == before.destination && after.history.size() == before.history.size());
      MR_CHECK(after.learned == before.learned && after.locked == before.locked);
    }
    if (rules_.policy == flow::LatchPolicy::reference) {
      if (verdict != flow::Verdict::ignore && !rules_.asymmetric) MR_CHECK(after.destination == arrival.from);
      return;
    }
    if (rules_.asymmetric || rules_.policy == flow::LatchPolicy::strict) {
      MR_CHECK(verdict != flow::Verdict::accept_learned && after.destination == before.destination);
      return;
    }
    if (verdict != flow::Verdict::ignore) MR_CHECK(after.destination == arrival.from);
    // A locked source gives way to the signalled address or to its own stream.
    if (before.locked && after.destination != before.destination && arrival.from != after.signalled) {
      MR_CHECK(arrival.rtp.has_value() || rules_.rtcp);
    }
  }

  flow::Latch latch_;
  flow::LatchRules rules_;
  Now now_{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ConstByteReader in{std::as_bytes(std::span{data, size})};
  Subject subject{in.u8()};
  while (in.left() >= 4) {
    subject.run({.what = in.u8(), .who = in.u8(), .later = in.u8(), .number = in.u8()});
  }
  return 0;
}
