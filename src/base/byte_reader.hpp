#pragma once
// Reads big-endian (network order) numbers off a span. The reader remembers its first overrun, so a parser reads
// every field first and asks ok() once, and the shape of the format stays visible. Past an overrun every read
// gives zero. Pure; allocates nothing.

#include <cstddef>
#include <cstdint>
#include <span>

namespace millrace {

template <class Byte>
class BasicByteReader {
 public:
  constexpr explicit BasicByteReader(std::span<Byte> bytes) : rest_{bytes} {}

  [[nodiscard]] constexpr bool ok() const { return ok_; }
  [[nodiscard]] constexpr std::size_t left() const { return rest_.size(); }
  [[nodiscard]] constexpr std::span<Byte> rest() const { return rest_; }

  constexpr std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  constexpr std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  constexpr std::uint32_t u24() { return number(3); }
  constexpr std::uint32_t u32() { return number(4); }
  constexpr std::uint64_t u64() {
    const auto high = static_cast<std::uint64_t>(number(4));
    return high << 32 | number(4);
  }
  constexpr void skip(std::size_t count) { (void)take(count); }

  // The next `count` bytes; empty past the end.
  constexpr std::span<Byte> take(std::size_t count) {
    if (count > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

 private:
  constexpr std::uint32_t number(std::size_t size) {
    std::uint32_t value = 0;
    for (const auto byte : take(size)) value = value << 8 | std::to_integer<std::uint32_t>(byte);
    return value;
  }

  std::span<Byte> rest_;
  bool ok_ = true;
};

using ByteReader = BasicByteReader<std::byte>;
using ConstByteReader = BasicByteReader<const std::byte>;

}  // namespace millrace
