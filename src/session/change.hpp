#pragma once
// Every change of a call is one Change value: notifications, accounting, the log, later the store, the event stream
// and the web page all read this one stream. Self-contained: no reader has to look anything up.

#include <cstdint>
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
  std::variant<ConnectionCreated, ConnectionCompleted, ConnectionUpdated, RemoteLearned, ConnectionEnded> what;
};

// The alternatives of Change::what, in their order.
enum class ChangeKind : std::uint8_t { created, completed, updated, learned, ended };

// Control thread; must not block and must not call back into Calls.
class ChangeListener {
 public:
  virtual ~ChangeListener() = default;
  // Asked before a Change is put together: most lines of a log are never written.
  [[nodiscard]] virtual bool wants(ChangeKind kind, std::string_view call_id) const {
    (void)kind, (void)call_id;
    return true;
  }
  virtual void on_change(const Change& change) = 0;
};

}  // namespace millrace::session
