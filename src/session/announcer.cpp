#include "session/announcer.hpp"

#include "session/call.hpp"
#include "session/view_builder.hpp"

namespace millrace::session {

Announcer::Wish Announcer::wish_for(ChangeKind kind, const Connection& connection) const {
  const ChangeSubject subject{.kind = kind, .call_id = connection.call->id(), .session = connection.session != nullptr};
  Wish wish;
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    if (!listeners_[i]->wants(subject)) continue;
    wish.listeners |= std::uint32_t{1} << i;
    wish.view = wish.view || listeners_[i]->wants_view();
  }
  return wish;
}

std::shared_ptr<const View> Announcer::view_for(ChangeKind kind, const Connection& connection) const {
  auto view = std::make_shared<View>(view_of(connection, settings_.limits));
  if (kind == ChangeKind::ended) view->state = State::closed;
  return view;
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
