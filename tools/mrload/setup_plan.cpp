#include "mrload/setup_plan.hpp"

#include <algorithm>

namespace millrace::mrload {

std::optional<Action> SetupPlan::next() {
  if (!to_answer_.empty()) {
    const auto call = to_answer_.front();
    to_answer_.pop_front();
    return Action{Step::answer, call};
  }
  const bool more = !closing_ && offered_ < total_;
  if (more && open_ < alive_) {
    most_open_ = std::max(most_open_, ++open_);
    return Action{Step::offer, offered_++};
  }
  // A removal under way already makes room for the next offer.
  const bool make_room = more && removing_ < std::min(alive_, total_ - offered_);
  if ((closing_ || make_room) && !standing_.empty()) {
    const auto call = standing_.front();
    standing_.pop_front();
    ++removing_;
    return Action{Step::remove, call};
  }
  return std::nullopt;
}

void SetupPlan::done(const Action& action) {
  switch (action.step) {
    case Step::offer: to_answer_.push_back(action.call); break;
    case Step::answer:
      standing_.push_back(action.call);
      ++established_;
      break;
    case Step::remove:
      --removing_;
      --open_;
      break;
  }
}

}  // namespace millrace::mrload
