#include "control/rtpproxy/server.hpp"

#include <utility>

#include "control/rtpproxy/encode.hpp"
#include "control/rtpproxy/features.hpp"

namespace millrace::control::rtpproxy {
namespace {

bool refuse(ErrorCode code, std::string& answer) {
  encode_error(code, answer);
  return false;
}

bool refuse_unless(const std::expected<void, ErrorCode>& done, std::string& answer) {
  return done ? true : refuse(done.error(), answer);
}

// "OK", or the word that says what failed: of the whole line, or of its last part.
std::string_view result_of(bool succeeded, std::string_view answer) {
  if (!succeeded) return answer;
  const auto part = answer.rfind("&& -");
  return part == std::string_view::npos ? "OK" : answer.substr(part + 3);
}

}  // namespace

Server::Server(Session session, Options options) : session_{std::move(session)}, options_{std::move(options)} {}

void Server::serve(std::string_view body, const Origin& origin, std::string& answer) {
  ++commands_.received;
  finish(options_.guard.is_there() ? answer_guarded(body, origin, answer) : answer_line(body, origin, answer), answer);
}

void Server::refuse_too_long(std::string& answer) {
  ++commands_.received;
  finish(refuse(ErrorCode::malformed, answer), answer);
}

void Server::finish(bool succeeded, std::string& answer) {
  ++(succeeded ? commands_.succeeded : commands_.failed);
  answer += '\n';
  ++commands_.replied;
}

bool Server::answer_guarded(std::string_view body, const Origin& origin, std::string& answer) {
  const auto& guard = options_.guard;
  const auto what = describe(body);
  const auto admitted = guard.admit ? guard.admit(origin, what.changes) : std::expected<void, std::string>{};
  const auto begin = answer.size();
  const bool succeeded = admitted ? answer_line(body, origin, answer) : refuse(ErrorCode::refused, answer);
  if (guard.note && (what.changes || !admitted)) {
    guard.note(origin, {.command = what.command,
                        .call_id = what.call_id,
                        .result = result_of(succeeded, std::string_view{answer}.substr(begin)),
                        .reason = admitted ? std::string_view{} : admitted.error()});
  }
  return succeeded;
}

bool Server::answer_line(std::string_view body, const Origin& origin, std::string& answer) {
  const auto request = decode(body, {options_.targets, origin, options_.bridging});
  if (!request) return refuse(request.error(), answer);
  if (!request->unknown_target.empty()) options_.on_unknown_target(request->unknown_target);
  return answer_request(*request, answer);
}

bool Server::answer_request(const Request& request, std::string& answer) {
  switch (request.verb) {
    case Verb::version: answer += kBaseVersion; return true;
    case Verb::feature: answer += has_feature(request.names[0], options_.targets.enabled()) ? '1' : '0'; return true;
    case Verb::info: encode_info(session_.totals(), request.load, answer); return true;
    case Verb::statistics:
      return refuse_unless(encode_statistics(session_.totals(), commands_, request, answer), answer);
    default: return answer_session(request, answer);
  }
}

bool Server::answer_session(const Request& request, std::string& answer) {
  const session::Reply reply = session_.execute(request.command);
  if (const auto* error = std::get_if<session::Error>(&reply)) {
    if (request.verb == Verb::lookup && *error == session::Error::not_found) {
      answer += '0';   // what clients expect of a lookup that finds nothing; it still counts as an error
      return false;
    }
    return refuse(error_code(*error, request.verb), answer);
  }
  if (const auto* media = std::get_if<session::LocalMedia>(&reply)) {
    encode_local(*media, answer);
  } else if (const auto* counters = std::get_if<session::ConnectionCounters>(&reply)) {
    if (!refuse_unless(encode_query(*counters, request, answer), answer)) return false;
  } else {
    answer += '0';
  }
  answer_parts(request, answer);
  return true;
}

// A part that fails ends the row and does not undo what was done before it.
void Server::answer_parts(const Request& request, std::string& answer) {
  PartResults results{answer};
  for (const session::Command& part : request.parts) {
    if (!results.add(session_.execute(part))) return;
  }
}

}  // namespace millrace::control::rtpproxy
