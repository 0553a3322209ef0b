#pragma once
// The text protocol's front end: decodes a request, has the session run it, encodes what it says. Control thread only.

#include <functional>
#include <string>
#include <string_view>

#include "control/frontend.hpp"
#include "control/rtpproxy/decode.hpp"
#include "control/rtpproxy/guard.hpp"
#include "control/rtpproxy/notify_targets.hpp"
#include "control/rtpproxy/session_link.hpp"
#include "control/rtpproxy/statistics.hpp"

namespace millrace::control::rtpproxy {

class Server final : public Frontend {
 public:
  struct Options {
    NotifyTargets targets;
    bool bridging = false;  // interfaces named "internal" and "external" are there
    // A notify socket that was asked for and is not allowed; for the log.
    std::function<void(std::string_view target)> on_unknown_target = [](std::string_view) {};
    Guard guard{};  // limits and the audit log
  };

  Server(Session session, Options options);

  [[nodiscard]] Split split(std::string_view datagram) const override { return split_cookie(datagram); }
  void serve(std::string_view body, const Origin& origin, std::string& answer) override;
  void refuse_too_long(std::string& answer) override;
  void on_repeat() override { ++commands_.repeated; }

  [[nodiscard]] const CommandCounters& commands() const { return commands_; }

 private:
  // These append the answer and say whether the command counts as a success.
  bool answer_guarded(std::string_view body, const Origin& origin, std::string& answer);
  bool answer_line(std::string_view body, const Origin& origin, std::string& answer);
  bool answer_request(const Request& request, std::string& answer);
  bool answer_session(const Request& request, std::string& answer);
  void answer_parts(const Request& request, std::string& answer);
  void finish(bool succeeded, std::string& answer);

  Session session_;
  Options options_;
  CommandCounters commands_;
};

}  // namespace millrace::control::rtpproxy
