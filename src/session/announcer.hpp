#pragma once
// Tells listeners what changed. Builds nothing when nobody listens, and the View only for those who read it.

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.hpp"
#include "base/time.hpp"
#include "session/change.hpp"
#include "session/connection.hpp"
#include "session/settings.hpp"

namespace millrace::session {

// The place of `What` among the alternatives. Not by making one: libstdc++ 12 cannot, under clang, with a string in it.
template <class What, class Variant>
inline constexpr ChangeKind kKindOf{};
template <class What, class... Alternatives>
inline constexpr ChangeKind kKindOf<What, std::variant<Alternatives...>> = [] {
  std::size_t index = 0;
  const bool found = ((std::is_same_v<What, Alternatives> || (++index, false)) || ...);
  return found ? static_cast<ChangeKind>(index) : throw "no alternative of the variant";
}();

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
    constexpr ChangeKind kKind = kKindOf<std::remove_cvref_t<What>, decltype(Change::what)>;
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
