#include "mrload/arrivals.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace millrace::mrload {
namespace {

struct Case {
  std::string_view name;
  std::vector<std::uint32_t> numbers;
  std::vector<bool> first;
};

TEST(Arrivals, tells_a_late_packet_from_a_duplicate) {
  constexpr auto w = Arrivals::kWindow;
  const std::vector<Case> cases{
      {"in order", {0, 1, 2}, {true, true, true}},
      {"twice", {0, 0, 1, 0}, {true, false, true, false}},
      {"reordered", {2, 0, 1, 0}, {true, true, true, false}},
      {"after a gap of more than the window", {0, 3 * w, 3 * w - 1, 0}, {true, true, true, false}},
      {"oldest place of the window", {w - 1, 0, 0}, {true, true, false}},
      {"one older than the window", {w, 0}, {true, false}},
      {"a place of the window used again", {5, 5 + w, 6 + w, 6}, {true, true, true, false}},
      {"the window moves over a number that never came", {0, w, w + 2, w + 1}, {true, true, true, true}},
  };
  for (const Case& c : cases) {
    Arrivals arrivals{1};
    for (std::size_t i = 0; i < c.numbers.size(); ++i) {
      EXPECT_EQ(arrivals.note(0, c.numbers[i]), c.first[i]) << c.name << ", packet " << i;
    }
  }
}

TEST(Arrivals, keeps_streams_apart) {
  Arrivals arrivals{2};
  EXPECT_TRUE(arrivals.note(0, 7));
  EXPECT_TRUE(arrivals.note(1, 7));
  EXPECT_FALSE(arrivals.note(1, 7));
}

}  // namespace
}  // namespace millrace::mrload
