#pragma once
// The two sides of a connection, and which of a plan's slots face them.

#include <cstddef>
#include <cstdint>
#include <utility>

#include "flow/plan.hpp"

namespace millrace::session {

enum class Side : std::uint8_t { offerer, answerer };

constexpr Side other(Side side) { return side == Side::offerer ? Side::answerer : Side::offerer; }
constexpr std::size_t index_of(Side side) { return std::to_underlying(side); }

// Of a pair: what the even port carries, and what the odd one does.
enum class Channel : std::uint8_t { rtp, rtcp };
constexpr std::size_t index_of(Channel channel) { return std::to_underlying(channel); }

constexpr flow::Slot slot_of(Side side, Channel channel) {
  return static_cast<flow::Slot>(index_of(side) * 2 + index_of(channel));
}
constexpr Side side_of(flow::Slot slot) { return static_cast<Side>(std::to_underlying(slot) >> 1); }
constexpr Channel channel_of(flow::Slot slot) { return flow::is_rtcp(slot) ? Channel::rtcp : Channel::rtp; }

static_assert(slot_of(Side::answerer, Channel::rtcp) == flow::Slot::answerer_rtcp);
static_assert(side_of(flow::Slot::offerer_rtcp) == Side::offerer);

}  // namespace millrace::session
