#pragma once
// One line on how a connection is doing, for whoever looks at a call at night. Judges counters, addresses and time;
// pure.

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "session/connection.hpp"

namespace millrace::session {

// What is known of the media of one party.
struct PartyEvidence {
  std::uint64_t accepted = 0;             // RTP-port packets from it
  std::uint64_t refused = 0;              // of an untrusted source
  std::uint64_t no_destination = 0;       // of it that nobody could be sent: the other side is unknown
  std::uint64_t send_failed = 0;
  std::optional<Nanoseconds> silence{};     // since its last packet; nothing: never one
  bool held = false;
  net::Endpoint signalled{};                // not set: never said
  net::Endpoint expected{};                 // where it is taken to be; not set: unknown
};

struct Evidence {
  bool complete = false;
  bool listens_only = false;
  std::optional<State> streams{};  // a side is a stream: how far it is
  std::string failure{};           // of State::failed
  Nanoseconds age{0};  // since both legs have ports; of an incomplete one since it was made
  PartyEvidence offerer{}, answerer{};
};

[[nodiscard]] Evidence evidence_of(const Connection& connection, Now now);
[[nodiscard]] std::string verdict(const Evidence& evidence);
[[nodiscard]] inline std::string verdict(const Connection& connection, Now now) {
  return verdict(evidence_of(connection, now));
}

}  // namespace millrace::session
