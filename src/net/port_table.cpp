#include "net/port_table.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace millrace::net {

void PortTable::wake(TimePoint until) {
  while (!queue_.empty() && queue_.front().since <= until) {
    resting_.reset(queue_.front().pair);
    queue_.pop_front();
  }
}

void PortTable::wake_pair(std::size_t pair) {
  if (!resting_.test(pair)) return;
  std::erase_if(queue_, [pair](const Resting& resting) { return resting.pair == pair; });
  resting_.reset(pair);
}

std::optional<std::size_t> PortTable::next_free(const PairRange& range, std::size_t start) const {
  if (!range.contains(start)) start = range.first;
  if (const auto found = first_free(start, range.last)) return found;
  return start == range.first ? std::nullopt : first_free(range.first, start - 1);
}

std::optional<std::size_t> PortTable::first_free(std::size_t from, std::size_t last) const {
  for (std::size_t word = from / 64; word <= last / 64; ++word) {
    std::uint64_t free = ~(in_use_.word(word) | resting_.word(word));
    if (word == from / 64) free &= ~std::uint64_t{0} << (from % 64);
    if (free == 0) continue;
    const auto pair = word * 64 + static_cast<std::size_t>(std::countr_zero(free));
    return pair <= last ? std::optional{pair} : std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::size_t> PortTable::take_resting(const PairRange& range) {
  const auto found = std::ranges::find_if(
      queue_, [&range](const Resting& resting) { return !resting.foreign && range.contains(resting.pair); });
  if (found == queue_.end()) return std::nullopt;
  const std::size_t pair = found->pair;
  queue_.erase(found);
  resting_.reset(pair);
  return pair;
}

void PortTable::use(std::size_t pair) {
  MR_CHECK(is_free(pair));
  in_use_.set(pair);
  ++used_;
}

void PortTable::rest(std::size_t pair, TimePoint since, bool foreign) {
  MR_CHECK(!resting_.test(pair));
  if (in_use_.test(pair)) {
    in_use_.reset(pair);
    --used_;
  }
  resting_.set(pair);
  queue_.push_back({since, static_cast<std::uint16_t>(pair), foreign});
}

}  // namespace millrace::net
