#include "control/rtpproxy/guard.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace millrace::control::rtpproxy {
namespace {

using namespace std::chrono_literals;

TEST(RtpproxyGuard, a_line_is_described_by_its_letters_and_its_call) {
  struct Case {
    std::string_view body, command, call_id;
    bool changes;
  };
  constexpr std::array kCases{
      Case{"U c - 0 f", "U", "c", true},
      Case{" uA c 192.0.2.1 4000 f t\r\n", "U", "c", true},
      Case{"Lc0 c - 0 f t && S ttl=7 && d", "L && S && D", "c", true},
      Case{"D c f", "D", "c", true},
      Case{"X", "X", "", true},
      Case{"P1 c n 0 f", "P", "c", true},
      Case{"S c f", "S", "c", true},
      Case{"R c f", "R", "c", true},
      Case{"C c n f", "C", "c", true},
      Case{"N c f", "N", "c", true},
      Case{"U", "U", "", true},
      Case{"Q c f", "Q", "c", false},
      Case{"Qv c f t && D", "Q && D", "c", true},
      Case{"I", "I", "", false},
      Case{"VF 20040107", "V", "20040107", false},
      Case{"G nsess_created", "G", "nsess_created", false},
      Case{"Z c", "?", "c", false},
      Case{"\xff", "?", "", false},
      Case{"", "?", "", false},
      Case{"U c - 0 f &&", "?", "", false},
      Case{"U c - 0 f && zz && D", "U && ? && D", "c", true},
  };
  for (const Case& c : kCases) {
    const auto described = describe(c.body);
    EXPECT_EQ(described.command, c.command) << c.body;
    EXPECT_EQ(described.call_id, c.call_id) << c.body;
    EXPECT_EQ(described.changes, c.changes) << c.body;
  }
}

// Keeps what is noted, as "identity peer command session result reason".
class FakeAudit final : public access::Audit {
 public:
  [[nodiscard]] bool enabled() const override { return is_enabled; }
  [[nodiscard]] bool allows_commands() const override { return writable; }
  void note(const access::AuditEntry& entry, WallTime) override {
    EXPECT_EQ(entry.protocol, "rtpproxy");
    std::string line;
    for (const auto text : {entry.identity, entry.peer, entry.command, entry.session, entry.result, entry.reason}) {
      line += (line.empty() ? "" : "|") + std::string{text};
    }
    lines.push_back(std::move(line));
  }
  void reopen() override {}
  void flush() override {}
  [[nodiscard]] std::uint64_t lost() const override { return 0; }

  bool is_enabled = true, writable = true;
  std::vector<std::string> lines;
};

class RtpproxyGuards : public ::testing::Test {
 protected:
  Guard guard(std::uint32_t commands_per_second) {
    const access::QuotaSettings quotas{.commands_per_second = commands_per_second};
    access_ = std::move(*access::Access::create({}, {}, quotas));
    return guard_of(*access_, audit_, quotas, [this] { return now_; });
  }

  const Origin udp_{.peer = *net::Endpoint::parse("192.0.2.7:50312"), .local = {}, .user_id = 0};
  const Origin local_{.peer = {}, .local = {}, .user_id = 1000};
  Now now_{.mono = TimePoint{1000s}, .wall = WallTime{}};
  FakeAudit audit_;
  std::unique_ptr<access::Access> access_;
};

TEST_F(RtpproxyGuards, without_limit_and_audit_there_is_none) {
  audit_.is_enabled = false;
  EXPECT_FALSE(guard(0).is_there());
}

TEST_F(RtpproxyGuards, commands_are_counted_by_address_whatever_the_port_and_by_user) {
  audit_.is_enabled = false;
  const auto guard = this->guard(1);
  EXPECT_TRUE(guard.admit(udp_, false));
  auto other_port = udp_;
  other_port.peer = udp_.peer.next_port();
  const auto refused = guard.admit(other_port, false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(), "'192.0.2.7' may send 1 commands a second, says quota.commands_per_second");
  EXPECT_TRUE(guard.admit(local_, false));
  EXPECT_FALSE(guard.admit(local_, false));
  now_.mono += 1s;
  EXPECT_TRUE(guard.admit(udp_, true));
}

TEST_F(RtpproxyGuards, while_a_required_audit_log_fails_only_questions_are_answered) {
  const auto guard = this->guard(0);
  audit_.writable = false;
  EXPECT_TRUE(guard.admit(udp_, false));
  EXPECT_FALSE(guard.admit(udp_, true));
  audit_.writable = true;
  EXPECT_TRUE(guard.admit(udp_, true));
}

TEST_F(RtpproxyGuards, notes_say_who_it_was) {
  const auto guard = this->guard(0);
  guard.note(udp_, {.command = "U", .call_id = "c", .result = "OK", .reason = {}});
  guard.note(local_, {.command = "X", .call_id = {}, .result = "E98", .reason = "too many"});
  EXPECT_EQ(audit_.lines,
            (std::vector<std::string>{"192.0.2.7|192.0.2.7:50312|U|c|OK|", "uid:1000|unix:1000|X||E98|too many"}));
}

}  // namespace
}  // namespace millrace::control::rtpproxy
