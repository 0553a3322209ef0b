#include "control/rtpproxy/server.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>

#include "control/rtpproxy/features.hpp"

namespace millrace::control::rtpproxy {
namespace {

using session::Error;

// Answers each command with the next reply that the test has laid out, and keeps what it was asked.
class RtpproxyServer : public ::testing::Test {
 protected:
  std::string ask(std::string_view body) {
    std::string answer;
    server_.serve(body, Origin{}, answer);
    return answer;
  }

  std::string ask(std::string_view body, std::vector<session::Reply> replies) {
    replies_ = std::move(replies);
    asked_.clear();
    return ask(body);
  }

  std::vector<session::Reply> replies_;
  std::vector<session::Command> asked_;
  std::vector<std::string> unknown_targets_;
  session::Totals totals_;
  Server server_{
      Session{.execute =
                  [this](const session::Command& command) {
                    asked_.push_back(command);
                    return asked_.size() <= replies_.size() ? replies_[asked_.size() - 1]
                                                            : session::Reply{Error::not_supported};
                  },
              .totals = [this] { return totals_; }},
      Server::Options{.targets = *NotifyTargets::parse(std::vector<std::string>{"/run/n.sock"}),
                      .bridging = false,
                      .on_unknown_target = [this](std::string_view target) { unknown_targets_.emplace_back(target); }}};
};

session::Reply port(std::string_view local) { return session::LocalMedia{*net::Endpoint::parse(local), {}}; }

TEST_F(RtpproxyServer, answers_end_in_one_line_feed) {
  EXPECT_EQ(ask("V\r\n"), "20040107\n");
  EXPECT_EQ(ask("U c - 0 f", {port("192.0.2.1:20000")}), "20000 192.0.2.1\n");
  EXPECT_EQ(ask("D c f", {session::Done{}}), "0\n");
  EXPECT_EQ(ask("X", {session::Done{}}), "0\n");
  EXPECT_EQ(ask(""), "E5\n");
  EXPECT_EQ(ask("Z"), "E0\n");
  EXPECT_EQ(ask("G"), "\n");
}

TEST_F(RtpproxyServer, appends_to_what_is_in_the_answer_already) {
  std::string answer = "cookie ";
  server_.serve("G nsess_created bogus", Origin{}, answer);
  EXPECT_EQ(answer, "cookie E68\n");
}

TEST_F(RtpproxyServer, datagram_that_is_too_long_is_malformed_and_counted) {
  std::string answer;
  server_.refuse_too_long(answer);
  EXPECT_EQ(answer, "E5\n");
  EXPECT_EQ(server_.commands().received, 1u);
  EXPECT_EQ(server_.commands().failed, 1u);
}

TEST_F(RtpproxyServer, lookup_that_finds_nothing_is_zero_and_counts_as_an_error) {
  EXPECT_EQ(ask("L c - 0 f t && D", {Error::not_found}), "0\n");
  EXPECT_EQ(asked_.size(), 1u);
  EXPECT_EQ(server_.commands().failed, 1u);
  EXPECT_EQ(ask("D c f", {Error::not_found}), "E50\n");
  EXPECT_EQ(ask("Q c f", {Error::not_found}), "E50\n");
  EXPECT_EQ(ask("L c - 0 f t", {Error::no_port_for_leg}), "E71\n");
}

TEST_F(RtpproxyServer, media_commands_fail_in_their_own_words_until_their_stages_are_there) {
  struct Case {
    std::string_view line;
    session::Reply reply;
    std::string_view answer;
  };
  const std::array cases{
      Case{"P c n 0 f", Error::not_supported, "E60\n"},
      Case{"P c n 0 f", Error::not_found, "E50\n"},
      Case{"S c f", session::Done{}, "0\n"},
      Case{"S c f", Error::not_found, "E50\n"},
      Case{"R c f", Error::not_supported, "E50\n"},
      Case{"N c f", Error::not_supported, "E50\n"},
      Case{"C c n f", Error::not_supported, "E65\n"},
      Case{"C c n f", Error::not_found, "E50\n"},
  };
  for (const Case& c : cases) EXPECT_EQ(ask(c.line, {c.reply}), c.answer) << c.line;
}

TEST_F(RtpproxyServer, bad_command_never_reaches_the_session) {
  for (const std::string_view line : {"Uq c - 0 f", "U c - 0 f t && K", "U c - 0 f t && S ttl=7 && D x", "Dx c f"}) {
    ask(line, {});
    EXPECT_TRUE(asked_.empty()) << line;
  }
}

TEST_F(RtpproxyServer, parts_run_in_order_behind_a_main_command_that_succeeded) {
  EXPECT_EQ(ask("U c - 0 f t && S ttl=7 && L - 0 && S ttl=9 && D",
                {port("192.0.2.1:20000"), session::Done{}, port("192.0.2.1:20002"), session::Done{}, session::Done{}}),
            "20000 192.0.2.1 && 0 && 20002 192.0.2.1\n");
  EXPECT_EQ(asked_.size(), 5u);
  EXPECT_EQ(ask("U c - 0 f t && C x a b && D", {port("192.0.2.1:20000"), Error::not_found}), "20000 192.0.2.1 && -1\n");
  EXPECT_EQ(asked_.size(), 2u);
  EXPECT_EQ(ask("U c - 0 f t && D", {Error::no_port_for_new}), "E72\n");
  EXPECT_EQ(asked_.size(), 1u);
}

TEST_F(RtpproxyServer, query_shows_five_numbers_or_those_that_are_named) {
  flow::CounterBlock party, other;
  party.set(flow::Count::packets_in, 21);
  party.set(flow::Count::packets_relayed, 20);
  party.set(flow::Count::rtp_expected, 8);
  party.set(flow::Count::rtp_received, 6);
  party.set(flow::Count::rtp_duplicates, 1);
  party.set(flow::Count::rtp_lost, 2);
  party.set(flow::Count::not_rtp, 3);
  party.set(flow::Count::longest_gap_ns, 1'500'000'000);
  party.set(flow::Count::rtp_jitter_last, 1250);
  party.set(flow::Count::rtp_jitter_max, 9000);
  party.set(flow::Count::rtp_jitter_average, 1);
  other.set(flow::Count::packets_in, 1);
  other.set(flow::Count::packets_relayed, 1);
  session::ConnectionCounters counters;
  counters.ttl = std::chrono::seconds{59};
  counters.party_rtp = party.sample();
  counters.other_rtp = other.sample();

  struct Case {
    std::string_view line, answer;
  };
  constexpr std::array kCases{
      Case{"Q c f", "59 21 1 21 1\n"},
      Case{"Qv c f t", "ttl=59 npkts_ina=21 npkts_ino=1 nrelayed=21 ndropped=1\n"},
      Case{"Q c f t rtpa_nsent rtpa_nrcvd rtpa_ndups rtpa_nlost rtpa_perrs", "8 6 1 2 3\n"},
      Case{"Q c f t longest_ipi rtpa_jlast rtpa_jmax rtpa_javg", "1.500000 1.250000 9.000000 0.001000\n"},
      Case{"Qv c f t npkts_ina ttl ttl", "npkts_ina=21 ttl=59 ttl=59\n"},
      Case{"Q c f t ttl bogus", "E62\n"},
      Case{"Q c f t TTL", "E62\n"},
      Case{"Qv c f t && D", "ttl=59 npkts_ina=21 npkts_ino=1 nrelayed=21 ndropped=1\n"},
  };
  for (const Case& c : kCases) EXPECT_EQ(ask(c.line, {counters, session::Done{}}), c.answer) << c.line;
}

TEST_F(RtpproxyServer, info_has_five_lines_and_a_sixth_with_the_load) {
  totals_ = {.created = 3};
  totals_.active_connections = 2;
  totals_.packets_in = 7;
  totals_.packets_relayed = 5;
  const std::string five =
      "sessions created: 3\nactive sessions: 2\nactive streams: 4\npackets received: 7\npackets transmitted: 5\n";
  EXPECT_EQ(ask("I"), five);
  EXPECT_EQ(ask("Ib"), five);
  EXPECT_EQ(ask("Il"), five + "average load: 0.000000\n");
}

TEST_F(RtpproxyServer, statistics_know_every_name_and_show_the_asking_command_as_received_only) {
  totals_.created = 11;
  totals_.duration_seconds = 2.5;
  totals_.packets_in_per_second = 50;
  ask("V");
  ask("Z");
  server_.on_repeat();
  EXPECT_EQ(ask("Gv ncmds_rcvd ncmds_rcvd_ndups ncmds_succd ncmds_errs ncmds_repld"),
            "ncmds_rcvd=3 ncmds_rcvd_ndups=1 ncmds_succd=1 ncmds_errs=1 ncmds_repld=2\n");
  EXPECT_EQ(ask("G nsess_created total_duration pps_in"), "11 2.500000 50.000000\n");
  for (const std::string_view name : {"nsess_created",
                                      "nsess_destroyed",
                                      "nsess_timeout",
                                      "nsess_complete",
                                      "nsess_nortp",
                                      "nsess_owrtp",
                                      "nsess_nortcp",
                                      "nsess_owrtcp",
                                      "nplrs_created",
                                      "nplrs_destroyed",
                                      "npkts_rcvd",
                                      "npkts_played",
                                      "npkts_relayed",
                                      "npkts_discard",
                                      "npkts_resizer_in",
                                      "npkts_resizer_out",
                                      "npkts_resizer_discard",
                                      "rtpa_nsent",
                                      "rtpa_nrcvd",
                                      "rtpa_ndups",
                                      "rtpa_nlost",
                                      "rtpa_perrs"}) {
    const std::string value = name == "nsess_created" ? "=11\n" : "=0\n";
    EXPECT_EQ(ask("Gv " + std::string{name}), std::string{name} + value);
  }
  EXPECT_EQ(ask("G Nsess_created"), "E68\n");
}

TEST_F(RtpproxyServer, unknown_notify_socket_is_reported_and_the_session_made) {
  EXPECT_EQ(ask("U c - 0 f /else tag", {port("192.0.2.1:20000")}), "20000 192.0.2.1\n");
  EXPECT_EQ(unknown_targets_, std::vector<std::string>{"/else"});
  EXPECT_FALSE(std::get<session::Offer>(asked_[0]).notify.has_value());
}

// A server whose guard the test holds in its hands.
class GuardedRtpproxyServer : public ::testing::Test {
 protected:
  std::string ask(std::string_view body, session::Reply reply = session::Done{}) {
    reply_ = std::move(reply);
    std::string answer = "cookie ";
    server_.serve(body, Origin{}, answer);
    return answer.substr(7);
  }

  session::Reply reply_;
  int executed_ = 0;
  std::string refusal_;
  std::vector<std::string> noted_;  // "command|call|result|reason"
  Server server_{Session{.execute =
                             [this](const session::Command&) {
                               ++executed_;
                               return reply_;
                             },
                         .totals = [] { return session::Totals{}; }},
                 Server::Options{.targets = *NotifyTargets::parse({}),
                                 .bridging = false,
                                 .guard = {.admit = [this](const Origin&, bool) -> std::expected<void, std::string> {
                                             if (refusal_.empty()) return {};
                                             return std::unexpected{refusal_};
                                           },
                                           .note =
                                               [this](const Origin&, const Noted& noted) {
                                                 noted_.push_back(
                                                     std::string{noted.command} + "|" + std::string{noted.call_id} +
                                                     "|" + std::string{noted.result} + "|" + std::string{noted.reason});
                                               }}}};
};

TEST_F(GuardedRtpproxyServer, what_changes_something_is_noted_with_its_result) {
  struct Case {
    std::string_view line;
    session::Reply reply;
    std::string_view noted;  // nothing: not noted
  };
  const std::array cases{
      Case{"U c - 0 f", port("192.0.2.1:20000"), "U|c|OK|"},
      Case{"U c - 0 f", Error::no_port_for_new, "U|c|E72|"},
      Case{"L c - 0 f t", Error::not_found, "L|c|0|"},
      Case{"D c f", session::Done{}, "D|c|OK|"},
      Case{"X", session::Done{}, "X||OK|"},
      Case{"U c 300.1.2.3 4000 f", session::Done{}, "U|c|E37|"},
      Case{"U c", session::Done{}, "U|c|E1|"},
      Case{"V", session::Done{}, ""},
      Case{"Q c f", Error::not_found, ""},
      Case{"Z", session::Done{}, ""},
  };
  for (const Case& c : cases) {
    noted_.clear();
    ask(c.line, c.reply);
    EXPECT_EQ(noted_.size(), c.noted.empty() ? 0u : 1u) << c.line;
    if (!noted_.empty()) {
      EXPECT_EQ(noted_[0], c.noted);
    }
  }
}

TEST_F(GuardedRtpproxyServer, a_part_that_failed_is_the_result) {
  std::vector<session::Reply> replies{port("192.0.2.1:20000"), Error::not_found};
  Server server{Session{.execute =
                            [&](const session::Command&) {
                              auto reply = replies.front();
                              replies.erase(replies.begin());
                              return reply;
                            },
                        .totals = [] { return session::Totals{}; }},
                Server::Options{.targets = *NotifyTargets::parse({}),
                                .bridging = false,
                                .guard = {.admit = {}, .note = [this](const Origin&, const Noted& noted) {
                                            noted_.emplace_back(noted.result);
                                          }}}};
  std::string answer;
  server.serve("U c - 0 f t && D", Origin{}, answer);
  EXPECT_EQ(answer, "20000 192.0.2.1 && -1\n");
  EXPECT_EQ(noted_, std::vector<std::string>{"-1"});
}

TEST_F(GuardedRtpproxyServer, what_is_not_admitted_is_refused_counted_and_noted_whatever_it_asks) {
  refusal_ = "too many";
  EXPECT_EQ(ask("U c - 0 f"), "E98\n");
  EXPECT_EQ(ask("V"), "E98\n");
  EXPECT_EQ(executed_, 0);
  EXPECT_EQ(noted_, (std::vector<std::string>{"U|c|E98|too many", "V||E98|too many"}));
  EXPECT_EQ(server_.commands().failed, 2u);
}

TEST(RtpproxyFeatures, promise_only_what_holds) {
  for (const std::string_view date :
       {"20040107", "20050322", "20060704", "20080403", "20081102", "20090810", "20140323",
        "20140617", "20141004", "20150330", "20150420", "20150617", "20170313", "20191015",
        "20230205", "20230314", "20230424", "20251015", "20260306", "20260308", "20260309"}) {
    EXPECT_TRUE(has_feature(date, false)) << date;
  }
  for (const std::string_view date : {"20071116", "20071218", "20200226", "20250523", "20260101", "x", ""}) {
    EXPECT_FALSE(has_feature(date, true)) << date;
  }
  EXPECT_TRUE(has_feature("20081224", true));
  EXPECT_FALSE(has_feature("20081224", false));
}

}  // namespace
}  // namespace millrace::control::rtpproxy
