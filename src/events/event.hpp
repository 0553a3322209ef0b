#pragma once
// What happened to a connection, as everybody outside the control thread gets it. Immutable once it is made: readers
// share it.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "session/change.hpp"
#include "session/view.hpp"

namespace millrace::events {

enum class Kind : std::uint8_t { created, state_changed, updated, statistics, failed, closed };
constexpr bool is_lifecycle(Kind kind) { return kind != Kind::statistics; }

struct Event {
  std::uint64_t sequence =
      0;  // grows with each event of the process, from 1; a number is left out where some were lost
  Kind kind = Kind::created;
  WallTime at;
  std::string description;     // a sentence for people
  std::optional<session::EndReason> end;  // of closed
  std::shared_ptr<const session::View> view;  // never null: the connection after the event
};

}  // namespace millrace::events
