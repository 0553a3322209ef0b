#include "rtp/ntp.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace millrace::rtp {
namespace {

using namespace std::chrono_literals;

struct Case {
  std::string_view name;
  Nanoseconds since_1970;
  NtpTime ntp;
};

constexpr std::array kCases{
    Case{"the Unix epoch", 0ns, {2'208'988'800u, 0}},
    Case{"half a second", 500ms, {2'208'988'800u, 0x80000000u}},
    Case{"before the Unix epoch", -250ms, {2'208'988'799u, 0xc0000000u}},
    Case{"last second of the first era", 2'085'978'495s, {0xffffffffu, 0}},
    Case{"first second of the second era", 2'085'978'496s, {0, 0}},
};

TEST(Ntp, converts_both_ways_across_the_era) {
  for (const Case& c : kCases) {
    EXPECT_EQ(to_ntp(WallTime{c.since_1970}), c.ntp) << c.name;
    EXPECT_EQ(from_ntp(c.ntp), WallTime{c.since_1970}) << c.name;
  }
}

TEST(Ntp, nanoseconds_survive_the_round_trip) {
  for (const auto time : {1ns, 999'999'999ns, 123'456'789ns}) {
    const WallTime wall{1'800'000'000s + time};
    EXPECT_EQ(from_ntp(to_ntp(wall)), wall) << time.count();
  }
}

TEST(Ntp, the_middle_is_what_report_blocks_repeat) {
  EXPECT_EQ((NtpTime{0xb44db705, 0x20000000}.middle()), 0xb7052000u);
}

}  // namespace
}  // namespace millrace::rtp
