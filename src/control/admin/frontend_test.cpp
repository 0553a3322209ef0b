#include "control/admin/frontend.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "session/testing.hpp"

namespace millrace::control::admin {
namespace {

namespace json = boost::json;

class FakeNode final : public Node {
 public:
  [[nodiscard]] NodeFacts facts() const override {
    NodeFacts facts;
    facts.program = "millrace";
    facts.draining = drained;
    return facts;
  }
  void drain() override { drained = true; }
  std::expected<void, std::string> set_log_level(std::string_view level, std::string_view call) override {
    if (level != "debug") return std::unexpected{"no such level"};
    logged = call;
    return {};
  }

  bool drained = false;
  std::string logged;
};

class FakeAudit final : public access::Audit {
 public:
  [[nodiscard]] bool enabled() const override { return true; }
  [[nodiscard]] bool allows_commands() const override { return writable; }
  void note(const access::AuditEntry& entry, WallTime) override {
    EXPECT_EQ(entry.identity, "uid:1000");
    EXPECT_EQ(entry.peer, "unix:1000");
    EXPECT_EQ(entry.protocol, "admin");
    lines.push_back(std::string{entry.command} + "|" + std::string{entry.session} + "|" + std::string{entry.result} +
                    "|" + std::string{entry.reason});
  }
  void reopen() override {}
  void flush() override {}
  [[nodiscard]] std::uint64_t lost() const override { return 0; }

  bool writable = true;
  std::vector<std::string> lines;
};

class Admin : public ::testing::Test {
 protected:
  json::object ask(std::string_view line) {
    std::string answer;
    frontend_.serve(line, {.peer = {}, .local = {}, .user_id = 1000}, answer);
    EXPECT_TRUE(answer.ends_with('\n')) << answer;
    EXPECT_EQ(answer.find('\n'), answer.size() - 1) << "one line: " << answer;
    return json::parse(answer).as_object();
  }
  json::object result(std::string_view line) {
    const auto answer = ask(line);
    EXPECT_TRUE(answer.at("ok").as_bool()) << json::serialize(answer);
    return answer.at("result").as_object();
  }
  std::string error(std::string_view line) {
    const auto answer = ask(line);
    EXPECT_FALSE(answer.at("ok").as_bool()) << json::serialize(answer);
    return std::string{answer.at("error").as_string()};
  }

  session::testing::World world_;
  FakeNode node_;
  FakeAudit audit_;
  AdminFrontend frontend_{world_.calls, node_, [this] { return world_.now; }, &audit_};
};

TEST_F(Admin, status_counts_calls_and_says_what_runs) {
  world_.offer("c1", "192.0.2.1:4000", "f1");
  const auto status = result(R"({"command":"status"})");
  EXPECT_EQ(status.at("program").as_string(), "millrace");
  EXPECT_EQ(status.at("calls").to_number<int>(), 1);
}

TEST_F(Admin, calls_are_listed_oldest_first_and_can_be_chosen) {
  for (const auto* id : {"one-a", "two-b", "three-a"}) world_.offer(id, "192.0.2.1:4000", "f");
  const auto all = result(R"({"command":"calls"})");
  ASSERT_EQ(all.at("calls").as_array().size(), 3u);
  EXPECT_EQ(all.at("calls").at(0).at("id").as_string(), "one-a");
  const auto some = result(R"({"command":"calls","contains":"-a","limit":1})");
  EXPECT_EQ(some.at("calls").as_array().size(), 1u);
  EXPECT_EQ(some.at("total").to_number<int>(), 2);
}

TEST_F(Admin, a_call_is_shown_with_both_sides_and_a_verdict) {
  world_.offer("c1", "192.0.2.1:4000", "f1");
  world_.answer("c1", "192.0.2.2:5000", "f1", "t1");
  const auto connection = result(R"({"command":"call","id":"c1"})").at("connections").at(0).as_object();
  EXPECT_EQ(connection.at("state").as_string(), "active");
  EXPECT_FALSE(connection.at("verdict").as_string().empty());
  EXPECT_EQ(connection.at("sides").at(0).at("tag").as_string(), "f1");
  EXPECT_EQ(connection.at("sides").at(1).at("remote").at("signalled").as_string(), "192.0.2.2:5000");
}

TEST_F(Admin, names_with_bytes_that_are_no_utf8_spoil_no_answer) {
  for (const auto* id : {"\xff", "a\xc3", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8z"}) {
    world_.offer(id, "192.0.2.1:4000", "tag\xfe");
  }
  world_.offer("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\x9e", "192.0.2.1:4000", "f");
  const auto calls = result(R"({"command":"calls"})").at("calls").as_array();
  ASSERT_EQ(calls.size(), 8u);
  EXPECT_EQ(calls[1].at("id").as_string(), "a\xef\xbf\xbd");
  EXPECT_EQ(calls[7].at("id").as_string(), "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\x9e");
}

TEST_F(Admin, drain_and_log_reach_the_node) {
  result(R"({"command":"drain"})");
  EXPECT_TRUE(node_.drained);
  result(R"({"command":"log","level":"debug","call":"c1"})");
  EXPECT_EQ(node_.logged, "c1");
}

TEST_F(Admin, what_changes_something_is_noted_with_whoever_asked) {
  result(R"({"command":"status"})");
  result(R"({"command":"drain"})");
  result(R"({"command":"log","level":"debug","call":"c1"})");
  error(R"({"command":"log","level":"loud"})");
  error(R"({"command":"destroy"})");
  EXPECT_EQ(audit_.lines, (std::vector<std::string>{"drain||OK|", "log|c1|OK|", "log||error|no such level"}));
}

TEST_F(Admin, while_a_required_audit_log_fails_nothing_is_changed) {
  audit_.writable = false;
  EXPECT_NE(error(R"({"command":"drain"})").find("audit.required"), std::string::npos);
  EXPECT_FALSE(node_.drained);
  EXPECT_EQ(audit_.lines.size(), 1u);
  result(R"({"command":"status"})");
}

TEST_F(Admin, without_an_audit_log_all_goes_on) {
  AdminFrontend frontend{world_.calls, node_, [this] { return world_.now; }};
  std::string answer;
  frontend.serve(R"({"command":"drain"})", {}, answer);
  EXPECT_TRUE(node_.drained);
}

TEST_F(Admin, what_cannot_be_answered_is_refused_in_a_sentence) {
  EXPECT_NE(error("{").find("JSON object"), std::string::npos);
  EXPECT_NE(error("").find("JSON object"), std::string::npos);
  EXPECT_NE(error("[1]").find("JSON object"), std::string::npos);
  EXPECT_NE(error(std::string(8000, '[')).find("JSON object"), std::string::npos);
  EXPECT_NE(error(R"({"command":"destroy"})").find("unknown command 'destroy'"), std::string::npos);
  EXPECT_NE(error(R"({"command":7})").find("unknown command"), std::string::npos);
  EXPECT_NE(error(R"({"command":"call"})").find("which call"), std::string::npos);
  EXPECT_NE(error(R"({"command":"call","id":"ghost"})").find("no call 'ghost'"), std::string::npos);
  EXPECT_NE(error(R"({"command":"log","level":"loud"})").find("no such level"), std::string::npos);
}

}  // namespace
}  // namespace millrace::control::admin
