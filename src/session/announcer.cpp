#include "session/announcer.hpp"

#include <algorithm>

#include "session/call.hpp"

namespace millrace::session {

bool Announcer::wanted(ChangeKind kind, const Connection& connection) const {
  const ChangeSubject subject{.kind = kind, .call_id = connection.call->id(), .session = false};
  return std::ranges::any_of(listeners_,
                             [&](const ChangeListener* listener) { return listener->wants(subject); });
}

Change Announcer::about(const Connection& connection, Now now) {
  const MediaStream& answerer = connection.stream(Side::answerer);
  return {.at = now.wall,
          .connection = connection.id,
          .call_id = connection.call->id(),
          .offerer_tag = connection.stream(Side::offerer).name(),
          .answerer_tag = answerer.leg->tag.empty() ? std::string{} : answerer.name(),
          .what = {},
          .view = nullptr};
}

}  // namespace millrace::session
