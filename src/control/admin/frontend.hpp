#pragma once
// What mrctl speaks: one JSON object a line in each direction.
//
//   {"command":"call","id":"c1"}   →   {"ok":true,"result":{…}}   or   {"ok":false,"error":"there is no call 'c1'"}
//
// Commands: status, calls (optional "limit", "contains"), call (id), drain, log (level, optional call), doctor.
// drain and log change something: the audit log gets a line of each, and while it is required and cannot be written they
// are refused. Only root, the daemon's own user and the members of the socket's group get this far; control thread only.

#include <functional>
#include <string>
#include <string_view>

#include "access/audit.hpp"
#include "base/time.hpp"
#include "control/frontend.hpp"
#include "control/node.hpp"
#include "session/calls.hpp"

namespace millrace::control::admin {

class AdminFrontend final : public Frontend {
 public:
  // `clock` is asked once a request. Without `audit` nothing is noted.
  AdminFrontend(const session::Calls& calls, Node& node, std::function<Now()> clock, access::Audit* audit = nullptr)
      : calls_{calls}, node_{node}, clock_{std::move(clock)}, audit_{audit} {}

  [[nodiscard]] Split split(std::string_view datagram) const override { return {.cookie = {}, .body = datagram}; }
  void serve(std::string_view body, const Origin& origin, std::string& answer) override;
  void refuse_too_long(std::string& answer) override;

 private:
  const session::Calls& calls_;
  Node& node_;
  std::function<Now()> clock_;
  access::Audit* audit_;
};

}  // namespace millrace::control::admin
