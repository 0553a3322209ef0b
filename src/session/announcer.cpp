#include "session/announcer.hpp"

#include "session/call.hpp"

namespace millrace::session {

Change Announcer::about(const Connection& connection, Now now) {
  const MediaStream& answerer = connection.stream(Side::answerer);
  return {.at = now.wall,
          .connection = connection.id,
          .call_id = connection.call->id(),
          .offerer_tag = connection.stream(Side::offerer).name(),
          .answerer_tag = answerer.leg->tag.empty() ? std::string{} : answerer.name(),
          .what = {}};
}

}  // namespace millrace::session
