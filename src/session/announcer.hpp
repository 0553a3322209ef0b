#pragma once
// Tells listeners what changed. Builds nothing when nobody listens, and the View only for those who read it.

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/time.hpp"
#include "session/change.hpp"
#include "session/connection.hpp"
#include "session/settings.hpp"

namespace millrace::session {

class Announcer {
 public:
  static constexpr std::size_t kMaxListeners = 32;

  explicit Announcer(const Settings& settings) : settings_{settings} {}

  void add(ChangeListener& listener) {
    MR_CHECK(listeners_.size() < kMaxListeners);
    listeners_.push_back(&listener);
  }
  [[nodiscard]] bool wanted(ChangeKind kind, const Connection& connection) const {
    return wish_for(kind, connection).listeners != 0;
  }

  template <class What>
  void announce(const Connection& connection, Now now, What&& what) const {
    constexpr auto kKind = static_cast<ChangeKind>(decltype(Change::what){std::remove_cvref_t<What>{}}.index());
    const Wish wish = wish_for(kKind, connection);
    if (wish.listeners == 0) return;
    Change change = about(connection, now);
    change.what = std::forward<What>(what);
    if (wish.view) change.view = view_for(kKind, connection);
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
      if ((wish.listeners >> i & 1) != 0) listeners_[i]->on_change(change);
    }
  }

 private:
  struct Wish {
    std::uint32_t listeners = 0;  // bits, in their order
    bool view = false;
  };
  [[nodiscard]] Wish wish_for(ChangeKind kind, const Connection& connection) const;
  [[nodiscard]] static Change about(const Connection& connection, Now now);
  [[nodiscard]] std::shared_ptr<const View> view_for(ChangeKind kind, const Connection& connection) const;

  const Settings& settings_;
  std::vector<ChangeListener*> listeners_;
};

}  // namespace millrace::session
