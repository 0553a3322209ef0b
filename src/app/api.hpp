#pragma once
// The gRPC side of a node: what is told (hub) and the server, joined to the control loop by an inbox. Control thread only.
//
//   gRPC threads ─► Inbox ─► Calls ─► Tap ─► Hub ─► event streams
//        ▲                     │
//        └──── answers ────────┘

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "access/access.hpp"
#include "access/audit.hpp"
#include "config/read.hpp"
#include "control/node.hpp"
#include "observe/log.hpp"
#include "session/calls.hpp"

namespace boost::asio {
class io_context;
}

namespace millrace::app {

// Who may do what, and the record of it: for every front end.
struct Guards {
  std::unique_ptr<access::Access> access;
  std::unique_ptr<access::Audit> audit;

  static std::expected<Guards, std::string> open(const config::Settings& settings, observe::Log& log);
};

class Api {
 public:
  // What the node lends; all of it outlives this.
  struct Lent {
    boost::asio::io_context& io;
    session::Calls& calls;
    control::Node& node;
    Guards& guards;
    observe::Log& log;
    std::function<void()> after_batch;  // of jobs: plans go to the workers
    std::function<void()> after_answers;  // workers are woken
  };

  // With an empty grpc.listen there is no server, and nothing happens.
  static std::expected<std::unique_ptr<Api>, std::string> open(const config::Settings& settings, Lent lent);
  // What open() would refuse without having opened anything.
  static std::expected<void, std::string> check(const config::Settings& settings);
  virtual ~Api() = default;

  [[nodiscard]] virtual std::vector<std::string> listening() const = 0;
  // After each turn of the control loop that may have changed calls: what happened goes to the hub.
  virtual void hand_over() = 0;
  virtual void on_drain() = 0;
  // The control loop has ended and so has every call: events reach their readers, streams and calls end.
  virtual void stop() = 0;
};

}  // namespace millrace::app
