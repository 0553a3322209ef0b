#include "rtp/demux.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "base/testing.hpp"

namespace millrace::rtp {
namespace {

struct Case {
  std::string_view name, hex;
  bool rtcp;
};

constexpr std::array kCases{
    Case{"sender report", "80c80006", true},
    Case{"application-defined", "80cc0001", true},
    Case{"transport feedback", "81cd0002", true},
    Case{"last type of the reference's range", "80d50001", true},
    Case{"first reserved type", "80c00000", true},
    Case{"last reserved type", "80df0000", true},
    Case{"marker and payload type 63", "80bf0007 000000a0 deadbeef", false},
    Case{"marker and payload type 96", "80e00007 000000a0 deadbeef", false},
    Case{"PCMU", "80000007 000000a0 deadbeef", false},
    Case{"payload type 72 without a marker", "80480007 000000a0 deadbeef", false},
    Case{"version one", "40c80006", false},
    Case{"STUN", "00010000", false},
    Case{"three bytes", "80c800", false},
    Case{"no byte", "", false},
};

TEST(Demux, the_second_byte_tells_rtcp_from_rtp) {
  for (const Case& c : kCases) EXPECT_EQ(is_rtcp(testing::from_hex(c.hex)), c.rtcp) << c.name;
}

}  // namespace
}  // namespace millrace::rtp
