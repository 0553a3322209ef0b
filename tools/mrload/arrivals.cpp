#include "mrload/arrivals.hpp"

namespace millrace::mrload {

bool Arrivals::note(std::uint32_t stream, std::uint32_t number) {
  Stream& it = streams_[stream];
  const auto word = [&](std::uint32_t n) -> std::uint64_t& { return it.seen[n % kWindow / 64]; };
  const auto bit = [](std::uint32_t n) { return std::uint64_t{1} << (n % 64); };

  if (number >= it.next) {
    if (number - it.next >= kWindow) {
      it.seen.fill(0);
    } else {
      for (auto n = it.next; n < number; ++n) word(n) &= ~bit(n);   // skipped, may still come
    }
    word(number) |= bit(number);
    it.next = number + 1;
    return true;
  }
  if (it.next - number > kWindow || (word(number) & bit(number)) != 0) return false;
  word(number) |= bit(number);
  return true;
}

}  // namespace millrace::mrload
