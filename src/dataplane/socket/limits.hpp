#pragma once
// What the sides of a connection may send. Only a connection that has a limit has one of these.

#include <array>

#include "flow/plan.hpp"
#include "flow/token_bucket.hpp"

namespace millrace::dataplane {

struct Limits {
  std::array<flow::RateMeter, flow::kSlots / 2> sides;  // offerer, answerer

  void set(const flow::RateLimit& limit, TimePoint now) {
    for (flow::RateMeter& side : sides) side.set(limit, now);
  }
  [[nodiscard]] flow::RateMeter& of(flow::Slot slot) { return sides[static_cast<std::size_t>(slot) / 2]; }
};

}  // namespace millrace::dataplane
