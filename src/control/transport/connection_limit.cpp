#include "control/transport/connection_limit.hpp"

#include <algorithm>
#include <utility>

namespace millrace::control::transport {

ConnectionLimit::Place ConnectionLimit::enter(std::function<void()> evict) {
  Place place;
  if (entries_.size() >= max_ && !make_room()) return place;
  place.entry_ = entries_.insert(entries_.end(), Entry{.evict = std::move(evict)});
  place.limit_ = this;
  return place;
}

// The evicted connection leaves on its own, a little later; until then it holds a place more than allowed, and
// cannot be chosen again.
bool ConnectionLimit::make_room() {
  const auto silent = std::ranges::find_if(entries_, [](const Entry& e) { return e.silent && e.evict; });
  if (silent == entries_.end()) return false;
  std::exchange(silent->evict, nullptr)();
  return true;
}

ConnectionLimit::Place::Place(Place&& other) noexcept
    : limit_{std::exchange(other.limit_, nullptr)}, entry_{other.entry_} {}

ConnectionLimit::Place& ConnectionLimit::Place::operator=(Place&& other) noexcept {
  std::swap(limit_, other.limit_);
  std::swap(entry_, other.entry_);
  return *this;
}

ConnectionLimit::Place::~Place() {
  if (limit_ != nullptr) limit_->entries_.erase(entry_);
}

}  // namespace millrace::control::transport
