#pragma once
// The pairs of one local address: which are in use, which rest. A pair is named by its number, port / 2. Two bits a
// pair and a queue of those that rest; finding one is a few words of bits however full the table is. Sans-I/O:
// sockets are the pool's.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/time.hpp"

namespace millrace::net {

inline constexpr std::size_t kPairs = 32768;  // of all ports

struct PairRange {
  std::size_t first, last;  // both in it
  [[nodiscard]] constexpr bool contains(std::size_t pair) const { return pair >= first && pair <= last; }
  [[nodiscard]] constexpr std::size_t size() const { return last - first + 1; }
};

class PortTable {
 public:
  // Lets pairs go that have rested since before `until`.
  void wake(TimePoint until);
  // This one need not rest any longer, whether it does or not.
  void wake_pair(std::size_t pair);
  // A pair of the range that neither is in use nor rests: the next one from `start` on, round the end.
  [[nodiscard]] std::optional<std::size_t> next_free(const PairRange& range, std::size_t start) const;
  [[nodiscard]] bool is_free(std::size_t pair) const { return !in_use_.test(pair) && !resting_.test(pair); }
  [[nodiscard]] bool is_in_use(std::size_t pair) const { return in_use_.test(pair); }
  // The longest-rested pair of the range; it rests no more. Pairs that were foreign are left out: their port is
  // somebody else's, and trying each of them again for each call would cost a system call each.
  [[nodiscard]] std::optional<std::size_t> take_resting(const PairRange& range);

  void use(std::size_t pair);
  void rest(std::size_t pair, TimePoint since, bool foreign);

  [[nodiscard]] std::size_t in_use() const { return used_; }
  [[nodiscard]] bool idle() const { return used_ == 0 && queue_.empty(); }
  // Where the walk of the sequential order goes on.
  std::size_t cursor = 0;

 private:
  class Bits {
   public:
    [[nodiscard]] bool test(std::size_t bit) const { return (words_[bit / 64] >> (bit % 64) & 1) != 0; }
    void set(std::size_t bit) { words_[bit / 64] |= std::uint64_t{1} << (bit % 64); }
    void reset(std::size_t bit) { words_[bit / 64] &= ~(std::uint64_t{1} << (bit % 64)); }
    [[nodiscard]] std::uint64_t word(std::size_t index) const { return words_[index]; }

   private:
    std::array<std::uint64_t, kPairs / 64> words_{};
  };
  struct Resting {
    TimePoint since;
    std::uint16_t pair;
    bool foreign;
  };

  [[nodiscard]] std::optional<std::size_t> first_free(std::size_t from, std::size_t last) const;

  Bits in_use_, resting_;
  std::deque<Resting> queue_;  // the longest-rested in front
  std::size_t used_ = 0;
};

}  // namespace millrace::net
