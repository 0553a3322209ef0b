#pragma once
// The gRPC front end: a server with threads of its own that translates requests into session::Command, has them run on
// the control thread through the Inbox, and answers from its own threads. No gRPC header is needed to use it.

#include <chrono>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "access/access.hpp"
#include "access/audit.hpp"
#include "control/grpc/settings.hpp"
#include "control/inbox.hpp"
#include "control/node.hpp"
#include "events/hub.hpp"
#include "observe/log.hpp"

namespace millrace::control::grpc {

// What it works with; all of it outlives the server.
struct Parts {
  Inbox& inbox;
  Node& node;              // asked in jobs, on the control thread
  events::Hub& hub;
  access::Access& access;
  access::Audit& audit;
  observe::Log& log;
};

class Server {
 public:
  // The error names the setting. What it would refuse without opening anything: check().
  static std::expected<std::unique_ptr<Server>, std::string> start(const Settings& settings, const Parts& parts);
  static std::expected<void, std::string> check(const Settings& settings, const access::Access& access);
  virtual ~Server() = default;

  [[nodiscard]] virtual std::vector<std::string> listening() const = 0;  // "grpc:127.0.0.1:50051", as bound
  // Control thread, after each batch of jobs and when what they did is on its way to the workers: what was completed
  // goes to the answering thread.
  virtual void send_answers() = 0;
  // Control thread: health says NOT_SERVING from now on.
  virtual void on_drain() = 0;
  // Control thread, after Hub::close() and Inbox::close(): GOAWAY, streams end with what was queued for them, calls
  // under way are answered; after `grace` the rest is cut.
  virtual void stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace millrace::control::grpc
