#pragma once
// For tests alone: a Latch driven by a script, so that a row of a table reads like a story.
//
//   "0 signal S > S -; 20 rtp S 7 1 > learned S l; 40 raw E > ignore S l"
//
// A step is a time in ms, what happens, and behind ">" what must be so afterwards: a packet's verdict, the
// destination ("-": unknown), and the flags u (learned from a packet), l (locked), or "-" for none of them. What need
// not be said may be left out from the right.
//   signal EP · rtp EP SSRC SEQUENCE · raw EP (not RTP, or RTCP) · follow EP (the RTP port learned EP)
//   rules WORD... (reference, safe, strict, asymmetric, rtcp)
//
// Endpoints: S is what is signalled first, T later; s and t are other ports of their hosts; E and F are strangers,
// e another port of E's host. A "+" behind one means one port higher.

#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>
#include <string_view>

#include "flow/latching.hpp"

namespace millrace::flow::testing {

inline net::Endpoint endpoint_of(std::string_view name) {
  static const std::map<char, std::string_view> kNames{
      {'S', "192.0.2.1:4000"},    {'s', "192.0.2.1:4500"},    {'T', "192.0.2.9:4400"},  {'t', "192.0.2.9:4900"},
      {'E', "198.51.100.2:6000"}, {'e', "198.51.100.2:6600"}, {'F', "203.0.113.7:7000"}};
  if (name == "-") return {};
  const auto endpoint = net::Endpoint::parse(kNames.at(name.front())).value();
  return name.ends_with('+') ? endpoint.next_port() : endpoint;
}

inline LatchRules rules_of(std::istream& words) {
  LatchRules rules;
  for (std::string word; words >> word;) {
    if (word == "reference") rules.policy = LatchPolicy::reference;
    if (word == "strict") rules.policy = LatchPolicy::strict;
    if (word == "asymmetric") rules.asymmetric = true;
    if (word == "rtcp") rules.rtcp = true;
  }
  return rules;
}

class LatchScript {
 public:
  LatchScript(std::string_view name, std::string_view rules) : name_{name} {
    std::istringstream words{std::string{rules}};
    latch.set_rules(rules_of(words), {});
  }

  void play(std::string_view script) {
    std::istringstream steps{std::string{script}};
    for (std::string step; std::getline(steps, step, ';');) play_step(step);
  }

  Latch latch;

 private:
  static Now at(long ms) {
    const auto since = std::chrono::milliseconds{ms};
    return {.mono = TimePoint{since}, .wall = WallTime{std::chrono::seconds{1'800'000'000} + since}};
  }

  void play_step(const std::string& step) {
    const auto arrow = step.find('>');
    std::istringstream action{step.substr(0, arrow)};
    std::istringstream expectation{arrow == std::string::npos ? "" : step.substr(arrow + 1)};
    long ms = 0;
    std::string verb, where;
    action >> ms >> verb;
    if (verb == "rules") {
      latch.set_rules(rules_of(action), at(ms));
    } else {
      action >> where;
      act(verb, where, action, at(ms), expectation, step);
    }
    expect_state(expectation, step);
  }

  void act(const std::string& verb, const std::string& where, std::istream& rest, Now now, std::istream& expectation,
           const std::string& step) {
    const auto endpoint = endpoint_of(where);
    if (verb == "signal") return latch.signal(endpoint, now);
    std::string expected;
    expectation >> expected;
    if (verb == "follow") {
      const std::string_view followed = latch.follow_rtp(endpoint, now) ? "changed" : "kept";
      if (!expected.empty()) {
        EXPECT_EQ(followed, expected) << name_ << ": " << step;
      }
      return;
    }
    Arrival arrival{.from = endpoint, .rtp = std::nullopt};
    if (verb == "rtp") {
      std::uint32_t ssrc = 0;
      std::uint16_t sequence = 0;
      rest >> ssrc >> sequence;
      arrival.rtp = RtpIdentity{Ssrc{ssrc}, Seq{sequence}};
    } else {
      ASSERT_EQ(verb, "raw") << name_ << ": " << step;
    }
    const auto entries = latch.state().history.size();
    const auto verdict = latch.on_arrival(arrival, now);
    if (!expected.empty()) {
      EXPECT_EQ(word_of(verdict), expected) << name_ << ": " << step;
    }
    if (verdict != Verdict::accept_learned) {
      EXPECT_EQ(latch.state().history.size(), entries) << name_ << ": " << step;
    }
  }

  void expect_state(std::istream& expectation, const std::string& step) {
    std::string destination, flags;
    if (!(expectation >> destination >> flags)) return;
    EXPECT_EQ(latch.destination().to_string(), endpoint_of(destination).to_string()) << name_ << ": " << step;
    EXPECT_EQ(latch.state().learned, flags.find('u') != std::string::npos) << name_ << ": " << step;
    EXPECT_EQ(latch.state().locked, flags.find('l') != std::string::npos) << name_ << ": " << step;
  }

  static std::string_view word_of(Verdict verdict) {
    switch (verdict) {
      case Verdict::accept: return "accept";
      case Verdict::accept_learned: return "learned";
      case Verdict::ignore: return "ignore";
    }
    return "?";
  }

  std::string name_;
};

struct LatchCase {
  std::string_view name, rules, script;
};

inline void play_all(std::span<const LatchCase> cases) {
  for (const LatchCase& c : cases) LatchScript{c.name, c.rules}.play(c.script);
}

}  // namespace millrace::flow::testing
