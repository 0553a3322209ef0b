#include "base/time.hpp"

#include <fmt/format.h>

namespace millrace {

Now read_clocks() {
  return {.mono = std::chrono::time_point_cast<Nanoseconds>(std::chrono::steady_clock::now()),
          .wall = std::chrono::time_point_cast<Nanoseconds>(std::chrono::system_clock::now())};
}

std::string clock_text(WallTime time) {
  using namespace std::chrono;
  const auto in_day = time - floor<days>(time);
  const hh_mm_ss<milliseconds> parts{floor<milliseconds>(in_day)};
  return fmt::format("{:02}:{:02}:{:02}.{:03}", parts.hours().count(), parts.minutes().count(), parts.seconds().count(),
                     parts.subseconds().count());
}

}  // namespace millrace
