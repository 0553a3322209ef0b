#pragma once
// Calls at a relay: sets them up, keeps their media addresses, takes them down. Drives a SetupPlan through a Dialect
// over a ControlSocket with at most `window` requests outstanding; window 1 waits for each reply.

#include <array>
#include <memory>
#include <vector>

#include "mrload/control_socket.hpp"
#include "mrload/dialect.hpp"
#include "mrload/histogram.hpp"
#include "mrload/setup_plan.hpp"

namespace millrace::mrload {

using Sides = std::array<net::Endpoint, 2>;   // caller, callee

struct CallControlOptions {
  Protocol protocol = Protocol::rtpproxy;
  net::Endpoint relay;
  std::uint32_t window = 1;
  std::uint32_t run = 0;
  std::vector<Sides> local;   // call i has media on local[i % size]; not empty
};

class CallControl {
 public:
  static std::expected<CallControl, std::string> open(CallControlOptions options);

  // Sends what the plan asks for until it asks for nothing more. On an error the calls that stand are taken down
  // again, as far as the relay lets us.
  std::expected<void, std::string> run(SetupPlan& plan);

  // Where each side of a call must send, from the replies; by call number.
  [[nodiscard]] const std::vector<Sides>& send_to() const { return send_to_; }
  [[nodiscard]] const Histogram& reply_times() const { return reply_times_; }
  [[nodiscard]] std::uint64_t repeats() const { return socket_.repeats(); }

 private:
  CallControl(CallControlOptions options, ControlSocket socket);
  std::expected<void, std::string> turn(SetupPlan& plan);
  [[nodiscard]] std::string text_of(const Action& action) const;
  std::expected<void, std::string> on_reply(const Action& action, std::string_view text);
  void abandon(SetupPlan& plan);

  CallControlOptions options_;
  ControlSocket socket_;
  std::unique_ptr<Dialect> dialect_;
  std::vector<Sides> send_to_;
  Histogram reply_times_;
  bool forgiving_ = false;   // while abandoning: whatever the relay answers is good enough
};

}  // namespace millrace::mrload
