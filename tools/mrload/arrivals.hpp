#pragma once
// What came back of each stream, counted once. Pure state: a bitmap of the last kWindow numbers a stream tells a
// duplicate from a late packet; what is older than the window is taken for a duplicate.

#include <array>
#include <cstdint>
#include <vector>

namespace millrace::mrload {

class Arrivals {
 public:
  static constexpr std::uint32_t kWindow = 1'024;   // 20 s of one stream at 50 packets a second

  explicit Arrivals(std::size_t streams) : streams_(streams) {}

  // True when this number of this stream came for the first time.
  bool note(std::uint32_t stream, std::uint32_t number);

 private:
  struct Stream {
    std::array<std::uint64_t, kWindow / 64> seen{};
    std::uint32_t next = 0;   // one past the highest number so far
  };
  std::vector<Stream> streams_;
};

}  // namespace millrace::mrload
