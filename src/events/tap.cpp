#include "events/tap.hpp"

#include <string>
#include <variant>

namespace millrace::events {
namespace {

// Kind, description and end of an event, by what changed.
struct Describe {
  const session::View& view;
  Event& event;

  void operator()(const session::ConnectionCreated&) const {
    say(Kind::created, view.note.empty() ? "created" : "created; " + view.note);
  }
  void operator()(const session::ConnectionCompleted&) const { say(Kind::updated, "both parties have their ports"); }
  void operator()(const session::ConnectionUpdated&) const { say(Kind::updated, "changed by a command"); }
  void operator()(const session::RemoteLearned&) const {}  // never noted
  void operator()(const session::StateChanged& what) const {
    say(view.state == session::State::failed ? Kind::failed : Kind::state_changed,
        what.reason.empty() ? view.error : what.reason);
  }
  void operator()(const session::StatisticsDue&) const { say(Kind::statistics, "statistics"); }
  void operator()(const session::ConnectionEnded& what) const {
    say(Kind::closed, "closed: " + std::string{session::describe(what.reason)});
    event.end = what.reason;
  }

  void say(Kind kind, std::string description) const {
    event.kind = kind;
    event.description = std::move(description);
  }
};

}  // namespace

// Comes with what any listener wanted, so everything is asked again.
void Tap::on_change(const session::Change& change) {
  if (change.view == nullptr) return;
  if (!wants(static_cast<session::ChangeKind>(change.what.index()), change.view->session)) return;

  Note note;
  note.event.at = change.at;
  note.event.view = change.view;
  std::visit(Describe{*change.view, note.event}, change.what);

  noted_ = true;
  push_kept();
  if (push(note)) return;
  if (is_lifecycle(note.event.kind)) return keep(std::move(note));
  left_out_.fetch_add(1, std::memory_order_relaxed);
}

void Tap::hand_over() {
  push_kept();
  if (std::exchange(noted_, !kept_.empty())) bell_.ring();
}

std::deque<Note> Tap::close() {
  closed_ = true;
  return std::exchange(kept_, {});
}

bool Tap::push(Note& note) { return kept_.empty() && ring_.try_push(std::move(note)); }

void Tap::push_kept() {
  while (!kept_.empty() && ring_.try_push(std::move(kept_.front()))) kept_.pop_front();
}

void Tap::keep(Note note) {
  if (kept_.empty()) bell_.ring();  // the hub makes room while this turn goes on
  if (kept_.size() == kKeptNotes) {
    kept_.clear();
    kept_.push_back({.event = {}, .lost = true});
  }
  kept_.push_back(std::move(note));
}

}  // namespace millrace::events
