#pragma once
// The composition root: makes every part from the settings, joins them, and runs the control loop. The only place
// that knows all folders.
//
//   listeners ─► front ends ─► Calls ─► placement ─► engine
//        ▲                        │                    │
//        └──── answers            └── changes          └── events ─► Calls

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/signals.hpp"
#include "config/read.hpp"
#include "control/transport/listener.hpp"
#include "net/port_pool.hpp"
#include "observe/log.hpp"

namespace millrace::app {

struct NodeOptions {
  std::string program;                      // "millrace" or "rtpproxy"
  SignalTable signals = SignalTable::millrace;
  control::transport::ListenOptions listen;
  std::vector<net::Interface> interfaces;   // empty: as the settings say
  bool admin_required = true;               // else the start goes on without an admin socket
  std::vector<std::string> notes;           // what the log is to say once at the start
  std::function<std::expected<config::Settings, std::string>()> reload;  // empty: there is nothing to read again
};

class Node {
 public:
  // Opens every socket and starts the threads; after forking, before privileges are dropped. The error is a text
  // for the operator.
  static std::expected<std::unique_ptr<Node>, std::string> open(config::Settings settings, NodeOptions options,
                                                                observe::Log& log);
  // What open() would refuse without having opened anything.
  static std::expected<void, std::string> check(const config::Settings& settings);
  ~Node();

  // Until a signal, a drain or the end of input ends it. The exit status.
  int run();

 private:
  struct Foundations;
  class Parts;
  explicit Node(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace millrace::app
