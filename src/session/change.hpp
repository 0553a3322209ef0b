#pragma once
// Every change of a call is one Change value: notifications, accounting, the log, later the store, the event stream
// and the web page all read this one stream. Self-contained: no reader has to look anything up.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/strong.hpp"
#include "base/time.hpp"
#include "flow/plan.hpp"
#include "session/command.hpp"
#include "session/reply.hpp"

namespace millrace::session {

enum class EndReason : std::uint8_t {
  deleted,
  all_deleted,
  idle_timeout,
  setup_timeout,
  held_timeout,
  max_duration,
  shutdown
};
std::string_view describe(EndReason reason);

struct ConnectionCreated {};
struct ConnectionCompleted {};  // both legs have ports now
struct ConnectionUpdated {};    // addresses, ports or options changed by a command
struct RemoteLearned {
  flow::Slot slot;
  flow::RemoteState remote;
};
// A connection came into another state: its first packet, or a stream's way (View::state, View::error say which).
struct StateChanged {
  std::string reason;  // "first packet", "the client closed", "connect 192.0.2.1:80: Connection refused"
};
// The interval that a session was created with is over.
struct StatisticsDue {};
struct ConnectionEnded {
  EndReason reason;
  std::optional<Notify> notify;  // who wanted to hear of a time-out
  ConnectionCounters counters;   // `party` is the offerer
};

struct Change {
  WallTime at;
  ConnectionId connection;
  std::string call_id;
  std::string offerer_tag, answerer_tag;
  std::variant<ConnectionCreated, ConnectionCompleted, ConnectionUpdated, RemoteLearned, ConnectionEnded, StateChanged,
               StatisticsDue>
      what;
  std::shared_ptr<const View> view;  // the connection after the change; null when no listener wants_view()
};

// The alternatives of Change::what, in their order.
enum class ChangeKind : std::uint8_t { created, completed, updated, learned, ended, state, statistics };

// What a listener is asked about.
struct ChangeSubject {
  ChangeKind kind;
  std::string_view call_id;
  bool session;  // made by a Create
};

// Control thread; must not block and must not call back into Calls.
class ChangeListener {
 public:
  virtual ~ChangeListener() = default;
  // Asked before a Change is put together, which then goes to those who want it: most lines of a log are never written.
  [[nodiscard]] virtual bool wants(const ChangeSubject& subject) const {
    (void)subject;
    return true;
  }
  // Asked when it wants the change: does it read Change::view?
  [[nodiscard]] virtual bool wants_view() const { return false; }
  virtual void on_change(const Change& change) = 0;
};

}  // namespace millrace::session
