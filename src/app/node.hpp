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
#include <optional>
#include <string>
#include <vector>

#include "app/signals.hpp"
#include "config/read.hpp"
#include "control/transport/listener.hpp"

namespace millrace::app {

struct NodeOptions {
  std::string program;                      // "millrace" or "rtpproxy"
  SignalTable signals = SignalTable::millrace;
  control::transport::ListenOptions listen;
  bool bridging = false;                    // the text protocol's e and i letters
  bool exit_when_input_ends = false;        // stdin is the only control socket
  bool admin_required = true;               // else the start goes on without an admin socket
  std::function<std::expected<config::Settings, std::string>()> reload;  // empty: cannot
};

class Node {
 public:
  // Opens every socket; the error is a text for the operator. Nothing runs yet, no thread is started.
  static std::expected<std::unique_ptr<Node>, std::string> open(config::Settings settings, NodeOptions options);
  ~Node();

  // Starts the threads. After privileges were dropped and the process is where it stays.
  std::expected<void, std::string> start();
  // Until a signal, a drain or the end of input ends it. The exit status.
  int run();

 private:
  struct Parts;
  explicit Node(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace millrace::app
