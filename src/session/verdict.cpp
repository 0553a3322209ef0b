#include "session/verdict.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace millrace::session {

namespace {

// Speech pauses, and phones that suppress silence, stop for less than this; a phone that is gone stops for good.
constexpr Nanoseconds kSilent = std::chrono::seconds{5};

std::string_view name_of(Side side) { return side == Side::offerer ? "caller" : "callee"; }

std::int64_t seconds(Nanoseconds time) { return std::chrono::duration_cast<std::chrono::seconds>(time).count(); }

struct Party {
  Side side;
  const PartyEvidence& evidence;

  [[nodiscard]] std::string_view name() const { return name_of(side); }
  [[nodiscard]] bool heard() const { return evidence.accepted > 0; }
  [[nodiscard]] bool flows() const { return heard() && evidence.silence && *evidence.silence < kSilent; }
};

std::string hold_text(const Party& offerer, const Party& answerer) {
  if (offerer.evidence.held && answerer.evidence.held) return "on hold by both";
  return fmt::format("on hold by the {}", offerer.evidence.held ? offerer.name() : answerer.name());
}

// Its packets do come, but from a source that nobody vouched for.
std::string unexpected_text(const Party& party) {
  const PartyEvidence& evidence = party.evidence;
  return fmt::format("packets from the {} come from an unexpected source: {} refused, expected {}", party.name(),
                     evidence.refused, evidence.expected.is_set() ? evidence.expected.to_string() : "nobody yet");
}

std::string silent_text(const Party& party, Nanoseconds age) {
  const PartyEvidence& evidence = party.evidence;
  if (!party.heard() && evidence.refused > 0) return unexpected_text(party);
  if (party.heard()) {
    return fmt::format("no packet from the {} since {} s: it stopped, or its network did", party.name(),
                       seconds(*evidence.silence));
  }
  if (!evidence.signalled.is_set()) {
    return fmt::format("no packet from the {} since {} s, and its address was never signalled", party.name(),
                       seconds(age));
  }
  return fmt::format("no packet from the {} since {} s: its NAT or firewall", party.name(), seconds(age));
}

// Media of `from` arrives but does not go on to the other side.
std::string stuck_text(const Party& from, const Party& to) {
  if (from.evidence.send_failed > 0) {
    return fmt::format("{} packets to the {} could not be sent: is {} reachable from here?", from.evidence.send_failed,
                       to.name(), to.evidence.expected.is_set() ? to.evidence.expected.to_string() : "its address");
  }
  return fmt::format("the {} cannot be reached yet: no address signalled and no packet from it", to.name());
}

// Of streams the machine knows more than packets could tell.
std::string streams_text(const Evidence& evidence, bool flows) {
  if (*evidence.streams == State::failed) return fmt::format("the last stream failed: {}", evidence.failure);
  if (*evidence.streams == State::connecting) return "no stream from a client through to the callee yet";
  return flows ? "connected, and something flows" : "connected, and both sides are silent";
}

}  // namespace

std::string verdict(const Evidence& evidence) {
  const Party offerer{Side::offerer, evidence.offerer};
  const Party answerer{Side::answerer, evidence.answerer};
  if (!evidence.complete) return fmt::format("waiting for the answer since {} s", seconds(evidence.age));
  if (evidence.streams) return streams_text(evidence, offerer.flows() || answerer.flows());
  if (evidence.offerer.held || evidence.answerer.held) return hold_text(offerer, answerer);
  if (evidence.listens_only) return "a copy of another connection's media leaves here";
  if (!offerer.heard() && !answerer.heard() && evidence.age < kSilent) return "just answered, no media yet";

  for (const auto& [party, other] : {std::pair{offerer, answerer}, std::pair{answerer, offerer}}) {
    const bool unknown = party.evidence.no_destination > 0 && !other.evidence.expected.is_set();
    const bool all_fail = party.evidence.send_failed > party.evidence.accepted / 2;
    if (party.flows() && (unknown || all_fail)) return stuck_text(party, other);
  }
  if (offerer.flows() && answerer.flows()) return "media flows both ways";
  if (offerer.flows()) return silent_text(answerer, evidence.age);
  if (answerer.flows()) return silent_text(offerer, evidence.age);
  if (evidence.offerer.refused > 0 && !offerer.heard()) return unexpected_text(offerer);
  if (evidence.answerer.refused > 0 && !answerer.heard()) return unexpected_text(answerer);
  if (!offerer.heard() && !answerer.heard()) {
    return fmt::format("no packet from either side since {} s: do both send to the addresses they were given?",
                       seconds(evidence.age));
  }
  const auto silence_of = [&evidence](const Party& party) { return party.evidence.silence.value_or(evidence.age); };
  return fmt::format("silence from both sides since {} s",
                     seconds(std::min(silence_of(offerer), silence_of(answerer))));
}

namespace {

PartyEvidence evidence_of(const MediaStream& stream, Now now) {
  PartyEvidence evidence;
  evidence.held = stream.held;
  evidence.signalled = stream.signalled;
  const MediaPort& rtp = stream.port(Channel::rtp);
  evidence.expected = rtp.remote != nullptr ? rtp.remote->destination : stream.signalled;
  if (rtp.counters == nullptr) return evidence;
  const flow::FlowCounters counters = rtp.counters->sample();
  evidence.accepted = counters[flow::Count::packets_in];
  evidence.refused = counters[flow::Drop::wrong_source];
  evidence.no_destination = counters[flow::Drop::no_destination];
  evidence.send_failed = counters[flow::Drop::send_failed];
  if (evidence.accepted > 0) {
    const Nanoseconds last{static_cast<std::int64_t>(counters[flow::Count::last_in_mono_ns])};
    evidence.silence = std::max(Nanoseconds{0}, now.mono.time_since_epoch() - last);
  }
  return evidence;
}

}  // namespace

Evidence evidence_of(const Connection& connection, Now now) {
  return {.complete = connection.complete(),
          .listens_only = connection.listens_only,
          .streams = connection.has_streams() ? std::optional{connection.state} : std::nullopt,
          .failure = connection.session != nullptr ? connection.session->error : std::string{},
          .age = now.mono - connection.completed.value_or(connection.created.mono),
          .offerer = evidence_of(connection.stream(Side::offerer), now),
          .answerer = evidence_of(connection.stream(Side::answerer), now)};
}

}  // namespace millrace::session
