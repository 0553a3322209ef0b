#pragma once
// session::Reply → words of the text protocol. Everything appends to `out`, without the line end.

#include <string>

#include "control/rtpproxy/request.hpp"
#include "session/reply.hpp"

namespace millrace::control::rtpproxy {

void encode_error(ErrorCode code, std::string& out);

// PORT, PORT ADDR or PORT ADDR 6. A wildcard address is not told: the client knows better how to reach us.
void encode_local(const session::LocalMedia& media, std::string& out);

// What a session's refusal is called behind this verb.
[[nodiscard]] ErrorCode error_code(session::Error error, Verb verb);

// What parts answered: 0, a text, or a negative number. Parts at the end that have nothing to say are left out.
class PartResults {
 public:
  explicit PartResults(std::string& out) : out_{out} {}
  // False when the part failed: those behind it are not run.
  [[nodiscard]] bool add(const session::Reply& reply);

 private:
  void begin();
  std::string& out_;
  std::size_t silent_ = 0;  // parts without output since the last one that had some
};

}  // namespace millrace::control::rtpproxy
