#pragma once
// A number with a name. Explicit in, explicit out, free at run time, so that a port can never be passed where a
// payload type is wanted.

#include <compare>
#include <concepts>
#include <cstdint>
#include <functional>

namespace millrace {

template <class Tag, std::unsigned_integral Rep>
class Strong {
 public:
  using rep = Rep;
  constexpr Strong() = default;
  constexpr explicit Strong(Rep value) : value_{value} {}
  [[nodiscard]] constexpr Rep value() const { return value_; }
  friend constexpr bool operator==(Strong, Strong) = default;

 private:
  Rep value_{};
};

using Port = Strong<struct PortTag, std::uint16_t>;               // host byte order
using Ssrc = Strong<struct SsrcTag, std::uint32_t>;               // RFC 3550 §3
using PayloadType = Strong<struct PayloadTypeTag, std::uint8_t>;  // 7 bits, RFC 3550 §5.1
using ConnectionId = Strong<struct ConnectionIdTag, std::uint64_t>;  // unique for the life of the process, never 0

// RTP sequence number, modulo 2^16. It has a distance but no operator<: "less" is a question about a window, not
// about a number.
class Seq : public Strong<struct SeqTag, std::uint16_t> {
 public:
  using Strong::Strong;
  // Steps forward from `from` to `to`; negative when `to` is the older one.
  friend constexpr int distance(Seq from, Seq to) {
    return static_cast<std::int16_t>(static_cast<std::uint16_t>(to.value() - from.value()));
  }
};
static_assert(distance(Seq{65535}, Seq{1}) == 2 && distance(Seq{1}, Seq{65535}) == -2);

// Hashes for std:: and Abseil tables alike.
struct StrongHash {
  template <class Tag, class Rep>
  std::size_t operator()(Strong<Tag, Rep> key) const {
    return std::hash<Rep>{}(key.value());
  }
};

}  // namespace millrace
