// What both policies share. Each policy has a test file of its own.
#include "flow/latching.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

#include "flow/testing.hpp"

namespace millrace::flow {
namespace {

using testing::endpoint_of;
using testing::LatchScript;

std::string history_of(const Latch& latch) {
  const auto& history = latch.state().history;
  return history_text(history.entries());
}

TEST(LatchHistory, is_empty_before_anything_happened) { EXPECT_EQ(history_of(Latch{}), ""); }

TEST(LatchHistory, tells_in_words_why_media_goes_where_it_goes) {
  LatchScript script{"story", "safe"};
  script.play("11120 rtp E 7 1 > learned E u");
  EXPECT_EQ(history_of(script.latch), "08:00:11.120 learned 198.51.100.2:6000: first packet");
  script.play("11150 signal S; 11160 rtp s 7 5; 11180 rtp S 9 1; 20000 rtp F 9 2");
  EXPECT_EQ(history_of(script.latch),
            "08:00:11.120 learned 198.51.100.2:6000: first packet; "
            "08:00:11.150 set to 192.0.2.1:4000: named by the signalling; "
            "08:00:11.160 learned 192.0.2.1:4500: first packet; "
            "08:00:11.180 replaced by 192.0.2.1:4000: signalled address; "
            "08:00:20.000 replaced by 203.0.113.7:7000: the same stream went on from there");
}

TEST(LatchHistory, tells_that_rtcp_was_assumed_beside_rtp) {
  LatchScript script{"rtcp", "reference rtcp"};
  script.play("0 follow E; 20 raw e");
  EXPECT_EQ(history_of(script.latch),
            "08:00:00.000 assumed 198.51.100.2:6001: one above the RTP source; "
            "08:00:00.020 learned 198.51.100.2:6600: first packet");
}

TEST(LatchHistory, keeps_the_last_eight_decisions) {
  LatchScript script{"long", "strict"};
  for (int i = 0; i < 30; ++i) script.play(std::to_string(i) + (i % 2 == 0 ? " signal S" : " signal T"));
  const auto& history = script.latch.state().history;
  ASSERT_EQ(history.size(), kHistoryEntries);
  EXPECT_EQ(history[0].endpoint, endpoint_of("S"));
  EXPECT_EQ(history.back().endpoint, endpoint_of("T"));
}

TEST(LatchHistory, sources_that_alternate_do_not_push_the_rest_out) {
  LatchScript script{"flapping", "reference"};
  script.play("0 signal S");
  for (int i = 1; i < 100; ++i) script.play(std::to_string(i) + (i % 2 == 0 ? " rtp E 0 1" : " rtp F 0 1"));
  const auto& history = script.latch.state().history;
  ASSERT_EQ(history.size(), 3u);
  EXPECT_EQ(history[0].cause, Cause::signalled);
  EXPECT_EQ(history[1].endpoint, endpoint_of("E"));
  EXPECT_EQ(history[2].endpoint, endpoint_of("F"));
}

TEST(LatchHistory, the_confirmed_signalled_address_is_told) {
  LatchScript script{"confirmed", "reference"};
  script.play("0 signal S; 20 rtp S 7 1; 40 rtp S 7 2");
  EXPECT_EQ(history_of(script.latch),
            "08:00:00.000 set to 192.0.2.1:4000: named by the signalling; "
            "08:00:00.020 learned 192.0.2.1:4000: signalled address");
}

TEST(LatchHistory, every_cause_has_words_of_its_own) {
  std::set<std::string_view> words;
  for (int cause = 0; cause <= static_cast<int>(Cause::follows_rtp); ++cause) {
    words.insert(describe(static_cast<Cause>(cause)));
  }
  EXPECT_EQ(words.size(), static_cast<std::size_t>(Cause::follows_rtp) + 1);
  EXPECT_FALSE(words.contains("unknown"));
}

TEST(Latch, the_last_port_has_no_rtcp_port_above_it) {
  for (const auto* rules : {"safe rtcp", "reference rtcp"}) {
    LatchScript script{"last port", rules};
    auto source = endpoint_of("E");
    source.port = Port{65535};
    EXPECT_FALSE(script.latch.follow_rtp(source, {}));
    EXPECT_FALSE(script.latch.destination().is_set());
  }
}

TEST(Latch, a_policy_may_change_while_a_call_runs) {
  LatchScript script{"reload", "reference"};
  script.play(
      "0 signal S; 20 rtp E 7 1 > learned E ul; 30 rules safe > E u; 40 rtp E 7 2 > learned E u;"
      "50 rtp S 8 1 > learned S l; 60 rules reference > S -; 70 rtp F 9 1 > learned F ul");
}

}  // namespace
}  // namespace millrace::flow
