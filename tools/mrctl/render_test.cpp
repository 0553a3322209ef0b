#include "mrctl/render.hpp"

#include <gtest/gtest.h>

namespace millrace::mrctl {
namespace {

namespace json = boost::json;

json::object object(std::string_view text) { return json::parse({text.data(), text.size()}).as_object(); }

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(Render, durations_read_as_people_say_them) {
  EXPECT_EQ(duration_text(-1), "0.0 s");
  EXPECT_EQ(duration_text(3.24), "3.2 s");
  EXPECT_EQ(duration_text(59.9), "59 s");
  EXPECT_EQ(duration_text(245), "4 min 05 s");
  EXPECT_EQ(duration_text(7380), "2 h 03 min");
}

TEST(Render, a_call_shows_its_verdict_addresses_history_and_drops) {
  const auto text = render_call(object(R"({"id":"c1","created":"10:00:00.000","age_seconds":12,"connections":[{
    "state":"active","ttl_seconds":60,"verdict":"media flows both ways","sides":[{
      "role":"caller","tag":"f1","local":"192.0.2.9:10000","held":true,
      "remote":{"signalled":"10.0.0.1:4000","sends_to":"203.0.113.7:4000","learned":true,"locked":true,
                "history_text":"10:02:11.120 learned 203.0.113.7:4000: first packet; 10:02:11.180 replaced by 198.51.100.2:6000: signalled address"},
      "rtp":{"packets_in":5,"dropped":{"wrong_source":3},"silent_seconds":0.5},
      "reception":{"received":5,"lost":1,"loss_percent":16.67,"ssrc":7},
      "rtcp":{"packets_in":0,"silent_seconds":null}}]}]})"));
  EXPECT_TRUE(has(text, "media flows both ways")) << text;
  EXPECT_TRUE(has(text, "caller f1, on hold")) << text;
  EXPECT_TRUE(has(text, "203.0.113.7:4000 (learned from its packets, locked; signalled 10.0.0.1:4000)")) << text;
  EXPECT_TRUE(has(text, "\n      10:02:11.180 replaced by 198.51.100.2:6000: signalled address\n")) << text;
  EXPECT_TRUE(has(text, "3 wrong_source")) << text;
  EXPECT_TRUE(has(text, "1 lost (16.67 %)")) << text;
  EXPECT_TRUE(has(text, "never a packet")) << text;
}

TEST(Render, an_empty_node_and_a_long_list_say_so) {
  EXPECT_EQ(render_calls(object(R"({"calls":[],"total":0})")), "no calls\n");
  EXPECT_TRUE(has(render_calls(object(R"({"calls":[{"id":"c1"}],"total":5})")), "and 4 more"));
}

TEST(Render, findings_carry_their_mend_and_decide_the_exit_status) {
  const auto fine = object(R"({"findings":[{"severity":"fine","check":"address","says":"all is well","mend":""}]})");
  EXPECT_FALSE(has_problem(fine));
  EXPECT_TRUE(has(render_findings(fine, false), "ok       address"));
  const auto bad =
      object(R"({"findings":[{"severity":"problem","check":"address","says":"gone","mend":"bring it back"}]})");
  EXPECT_TRUE(has_problem(bad));
  EXPECT_TRUE(has(render_findings(bad, false), "→ bring it back"));
  EXPECT_TRUE(has(render_findings(bad, true), "\033[31m"));
}

TEST(Render, a_call_id_cannot_command_the_terminal) {
  const auto text = render_calls(object(R"({"calls":[{"id":"\u001b[2Jx\u007f"}],"total":1})"));
  EXPECT_TRUE(has(text, R"(\x1b[2Jx\x7f)")) << text;
  EXPECT_EQ(text.find('\033'), std::string::npos);
}

TEST(Render, answers_of_another_shape_do_not_break_it) {
  EXPECT_FALSE(render_status(object("{}")).empty());
  EXPECT_FALSE(render_call(object(R"({"connections":[{"sides":[{"rtp":7,"remote":[]}]}]})")).empty());
}

}  // namespace
}  // namespace millrace::mrctl
