#pragma once
// Tells listeners what changed. Builds nothing when nobody listens.

#include <type_traits>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "session/change.hpp"
#include "session/connection.hpp"

namespace millrace::session {

class Announcer {
 public:
  void add(ChangeListener& listener) { listeners_.push_back(&listener); }
  [[nodiscard]] bool wanted(ChangeKind kind, const Connection& connection) const;

  template <class What>
  void announce(const Connection& connection, Now now, What&& what) const {
    constexpr auto kKind = static_cast<ChangeKind>(decltype(Change::what){std::remove_cvref_t<What>{}}.index());
    if (!wanted(kKind, connection)) return;
    Change change = about(connection, now);
    change.what = std::forward<What>(what);
    for (ChangeListener* listener : listeners_) listener->on_change(change);
  }

 private:
  [[nodiscard]] static Change about(const Connection& connection, Now now);

  std::vector<ChangeListener*> listeners_;
};

}  // namespace millrace::session
