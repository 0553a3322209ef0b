#include "control/rtpproxy/decode.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace millrace::control::rtpproxy {
namespace {

using std::chrono::seconds;

const Origin kOrigin{.peer = *net::Endpoint::parse("192.0.2.9:40000"),
                     .local = *net::Endpoint::parse("192.0.2.1:7722")};

// An operator who bridges and allows three targets, and one who does neither.
const NotifyTargets kTargets =
    *NotifyTargets::parse(std::vector<std::string>{"unix:/run/n.sock", "tcp:10.0.0.5:9000", "tcp:%%CC_SELF%%:9001"});
const NotifyTargets kNoTargets;

std::expected<Request, ErrorCode> decode_full(std::string_view line) {
  return decode(line, {.targets = kTargets, .origin = kOrigin, .bridging = true});
}

std::expected<Request, ErrorCode> decode_plain(std::string_view line) {
  return decode(line, {.targets = kNoTargets, .origin = kOrigin, .bridging = false});
}

// The number of the error as it stands in the reply; -1: none.
int error_number(const std::expected<Request, ErrorCode>& request) {
  return request ? -1 : static_cast<int>(request.error());
}

template <class Command>
Command command_of(std::string_view line) {
  const auto request = decode_full(line);
  EXPECT_TRUE(request.has_value()) << line << ": E" << error_number(request);
  if (!request || !std::holds_alternative<Command>(request->command)) {
    ADD_FAILURE() << line << " is another command";
    return {};
  }
  return std::get<Command>(request->command);
}

session::PartySide party_of(std::string_view modifiers) {
  return command_of<session::Offer>("U" + std::string{modifiers} + " c 192.0.2.7 5000 f").party;
}

std::string name_of(const std::optional<session::LocalChoice>& choice) {
  if (!choice) return "-";
  if (const auto* interface = std::get_if<session::InterfaceNamed>(&*choice)) return interface->name;
  if (const auto* local = std::get_if<session::LocalAddress>(&*choice)) return "at " + local->address.to_string();
  return "to " + std::get<session::RouteTo>(*choice).remote.to_string();
}

// --- errors ----------------------------------------------------------------------------------------------------------

struct ErrorCase {
  std::string_view line;
  int plain;  // without bridging and notification targets
  int full = -2;  // with both; -2: the same
};

constexpr std::array kErrors{
    // letters
    ErrorCase{"Z", 0},
    ErrorCase{"Zv && D", 0},
    ErrorCase{"1 c f", 0},
    ErrorCase{"{", 0},
    ErrorCase{"B c f", 0},
    ErrorCase{"\xff", 0},
    // number of words, before modifiers and parts
    ErrorCase{"U", 1},
    ErrorCase{"Uq c 127.0.0.1 5000", 1},
    ErrorCase{"U c 127.0.0.1 5000 f t n g x", 1},
    ErrorCase{"L c 127.0.0.1 5000", 1},
    ErrorCase{"L c 127.0.0.1 5000 f t x", 1},
    ErrorCase{"Dq c", 1},
    ErrorCase{"D c f t x", 1},
    ErrorCase{"P c n 0", 1},
    ErrorCase{"P c n 0 f t x", 1},
    ErrorCase{"S c", 1},
    ErrorCase{"S c f t x", 1},
    ErrorCase{"R c", 1},
    ErrorCase{"R c f t x", 1},
    ErrorCase{"C c t", 1},
    ErrorCase{"C c n f t x", 1},
    ErrorCase{"N c", 1},
    ErrorCase{"N c f t x", 1},
    ErrorCase{"Q c", 1},
    ErrorCase{"Q c f t 1 2 3 4 5 6 7 8 9 10 11", -1},
    ErrorCase{"Q c f t 1 2 3 4 5 6 7 8 9 10 11 12", 1},
    ErrorCase{"I x", 1},
    ErrorCase{"X x", 1},
    ErrorCase{"V x", 1},
    ErrorCase{"VF", 1},
    ErrorCase{"VF 1 2", 1},
    ErrorCase{"X x && D", 1},
    // modifiers where none may be, before parts
    ErrorCase{"Sx c f", 2},
    ErrorCase{"Xx", 2},
    ErrorCase{"Vx", 2},
    ErrorCase{"VFx 1", 2},
    ErrorCase{"Vx && D", 2},
    // parts where none may be, before what follows
    ErrorCase{"V && D", 3},
    ErrorCase{"VF 1 && D", 3},
    ErrorCase{"Dq c f && D", 3},
    ErrorCase{"X && D", 3},
    ErrorCase{"I && D", 3},
    ErrorCase{"G && D", 3},
    ErrorCase{"Px c n 0 f && D", 3},
    ErrorCase{"R c f && D", 3},
    ErrorCase{"S c f && D", 3},
    ErrorCase{"C c n f && D", 3},
    ErrorCase{"N c f && D", 3},
    ErrorCase{"Uq c 127.0.0.1 5000 f && K", 3},
    ErrorCase{"Qx c f && K", 3},
    // modifiers of U and L, the first bad one decides
    ErrorCase{"Uq c 127.0.0.1 5000 f", 35},
    ErrorCase{"L- c 127.0.0.1 5000 f", 35},
    ErrorCase{"U5 c - 0 f", 35},
    ErrorCase{"Ue c 127.0.0.1 5000 f", 11, -1},
    ErrorCase{"Ui c 127.0.0.1 5000 f", 12, -1},
    ErrorCase{"LIE c 127.0.0.1 5000 f", 12, -1},
    ErrorCase{"Uiee c 127.0.0.1 5000 f", 12, 11},
    ErrorCase{"Ueei c 127.0.0.1 5000 f", 11, 12},
    ErrorCase{"Uz c 127.0.0.1 5000 f", 13},
    ErrorCase{"Uz0 c - 0 f", 13},
    ErrorCase{"Uz1000 c - 0 f", 13},
    ErrorCase{"Uz999 c - 0 f", -1},
    ErrorCase{"Uz99999999999 c - 0 f", 13},
    ErrorCase{"Uc c - 0 f", 14},
    ErrorCase{"Uca c - 0 f", 14},
    ErrorCase{"Uc0c8 c - 0 f", 14},
    ErrorCase{"Uc0z20c8 c - 0 f", 14},
    ErrorCase{"Ul c - 0 f", 15},
    ErrorCase{"Ul1.2.3 c - 0 f", 15},
    ErrorCase{"Ul300.1.1.1 c - 0 f", 15},
    ErrorCase{"Ul[::1 c - 0 f", 15},
    ErrorCase{"Ul[1.2.3.4] c - 0 f", 15},
    ErrorCase{"Ul{} c - 0 f", 15},
    ErrorCase{"Ul{a c - 0 f", 15},
    ErrorCase{"Ur c - 0 f", 16},
    ErrorCase{"Urx c - 0 f", 16},
    ErrorCase{"Ur{a} c - 0 f", 16},
    ErrorCase{"Ur[x] c - 0 f", 16},
    ErrorCase{"Uqz0 c - 0 f", 35},
    ErrorCase{"Uz0q c - 0 f", 13},
    // ADDR and PORT
    ErrorCase{"U c 1.2.3.4.5 5000 f", 37},
    ErrorCase{"U c 300.1.1.1 5000 f", 37},
    ErrorCase{"U c hostname 5000 f", 37},
    ErrorCase{"U6 c 127.0.0.1 5000 f", 37},
    ErrorCase{"U c 2001:db8::1 5000 f", 37},
    ErrorCase{"U6 c [::1] 5000 f", 37},
    ErrorCase{"U c 127.0.0.1 http f", 37},
    ErrorCase{"U c 127.0.0.1 -1 f", 37},
    ErrorCase{"L c 1.2.3.4.5 5 f", 37},
    ErrorCase{"U c 1.2.3 x f", -1},
    ErrorCase{"U c 1234.1234.1234.1234 5 f", -1},
    ErrorCase{"U c - 5000 f", -1},
    ErrorCase{"Uq c 1.2.3.4.5 5000 f", 35},
    // notification
    ErrorCase{"U c - 0 f unix:/run/n.sock tag", 75, -1},
    ErrorCase{"U c - 0 f t unix:/run/n.sock tag", 75, -1},
    ErrorCase{"U c - 0 f /else tag", 75, -1},
    ErrorCase{"U c - 0 f /run/n.sock ta%2", 75, 10},
    ErrorCase{"U c - 0 f /run/n.sock ta%zz", 75, 10},
    ErrorCase{"U c - 0 f t /else %", 75, 10},
    // the other commands
    ErrorCase{"Dx c f", 8},
    ErrorCase{"Dwx c f", 8},
    ErrorCase{"Gx", 9},
    ErrorCase{"Gvx a", 9},
    ErrorCase{"Ix", 18},
    ErrorCase{"Iblx", 18},
    ErrorCase{"Qx c f", 19},
    ErrorCase{"Qvx c f", 19},
    ErrorCase{"Px c n 0 f", 17},
    ErrorCase{"P1x c n 0 f", 17},
    ErrorCase{"P99999999999 c n 0 f", 17},
    ErrorCase{"P c n x f", 60},
    ErrorCase{"Rp c f", 6},
    ErrorCase{"Rsp c f", 6},
    ErrorCase{"Rx c f", 7},
    ErrorCase{"Cx c n f", 7},
    ErrorCase{"Cspx c n f", 7},
    ErrorCase{"Nx c f", 7},
    ErrorCase{"Nax c f", 6},
    ErrorCase{"Naa c f", 6},
    // words
    ErrorCase{"", 5},
    ErrorCase{"\r\n", 5},
    ErrorCase{"U c - 0 f &&", 5},
    ErrorCase{"Z &&", 5},
    ErrorCase{"G 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22", -1},
    ErrorCase{"G 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23", 5},
};

TEST(RtpproxyDecode, every_mistake_has_its_number_in_the_order_of_the_protocol) {
  for (const ErrorCase& c : kErrors) {
    EXPECT_EQ(error_number(decode_plain(c.line)), c.plain) << c.line;
    EXPECT_EQ(error_number(decode_full(c.line)), c.full == -2 ? c.plain : c.full) << c.line << " (all configured)";
  }
}

// --- U and L ---------------------------------------------------------------------------------------------------------

TEST(RtpproxyDecode, words_of_an_update_are_told_apart_by_their_number) {
  struct Case {
    std::string_view line, to, target, tag;
  };
  constexpr std::array kCases{
      Case{"U c 192.0.2.7 5000 f;1", "", "", ""},
      Case{"u c 192.0.2.7 5000 f;1 t;1", "t;1", "", ""},
      Case{"U c 192.0.2.7 5000 f;1 unix:/run/n.sock the%20tag+x%3b1", "", "unix:/run/n.sock", "the tag x;1"},
      Case{"U c 192.0.2.7 5000 f;1 /run/n.sock T7", "", "unix:/run/n.sock", "T7"},
      Case{"U c 192.0.2.7 5000 f;1 t;1 tcp:10.0.0.5:9000 T7", "t;1", "tcp:10.0.0.5:9000", "T7"},
      Case{"U c 192.0.2.7 5000 f;1 t;1 tcp:%%CC_SELF%%:9001 I", "t;1", "tcp:192.0.2.9:9001 from 192.0.2.1", "I"},
      Case{"U c 192.0.2.7 5000 f;1 t;1 tcp:10.0.0.6:9000 T7", "t;1", "", ""},
  };
  for (const Case& c : kCases) {
    const auto offer = command_of<session::Offer>(c.line);
    EXPECT_EQ(offer.parties.call_id, "c") << c.line;
    EXPECT_EQ(offer.parties.from, "f;1") << c.line;
    EXPECT_EQ(offer.parties.to, c.to) << c.line;
    EXPECT_EQ(offer.party.remote, net::Endpoint::parse("192.0.2.7:5000")) << c.line;
    EXPECT_EQ(offer.notify ? offer.notify->target : "", c.target) << c.line;
    EXPECT_EQ(offer.notify ? offer.notify->tag : "", c.tag) << c.line;
  }
}

TEST(RtpproxyDecode, a_target_that_is_not_allowed_is_reported_and_no_error) {
  EXPECT_EQ(decode_full("U c - 0 f tcp:10.0.0.6:9000 T")->unknown_target, "tcp:10.0.0.6:9000");
  EXPECT_EQ(decode_full("U c - 0 f /run/n.sock T")->unknown_target, "");
}

TEST(RtpproxyDecode, kamailio_joins_target_and_tag_when_there_is_no_to_tag) {
  const auto offer = command_of<session::Offer>("U c;z9hG4bK1 192.0.2.7 5000 f;1 unix:/run/n.sock;42+7");
  EXPECT_EQ(offer.parties.to, "");
  ASSERT_TRUE(offer.notify.has_value());
  EXPECT_EQ(offer.notify->target, "unix:/run/n.sock");
  EXPECT_EQ(offer.notify->tag, "42 7");
  // What only looks like it stays a to-tag.
  for (const std::string_view word : {"unix:/else;1", "/run/n.sock", "/run/n.sock;%zz", "t;1"}) {
    const auto plain = command_of<session::Offer>("U c 192.0.2.7 5000 f;1 " + std::string{word});
    EXPECT_EQ(plain.parties.to, word);
    EXPECT_FALSE(plain.notify.has_value()) << word;
  }
}

TEST(RtpproxyDecode, modifiers_say_what_the_party_is) {
  EXPECT_EQ(party_of("").asymmetric, std::nullopt);
  EXPECT_EQ(party_of("a").asymmetric, true);
  EXPECT_EQ(party_of("As").asymmetric, false);
  EXPECT_EQ(party_of("SA").asymmetric, true);
  EXPECT_TRUE(party_of("w").weak);
  EXPECT_FALSE(party_of("s").weak);
  EXPECT_TRUE(party_of("N").new_port);
  EXPECT_EQ(party_of("z20").repacketize_ms, 20);
  EXPECT_EQ(party_of("Z999").repacketize_ms, 999);
  EXPECT_EQ(party_of("c0,8,101z20").codecs, (std::vector<std::uint8_t>{0, 8, 101}));
  EXPECT_EQ(party_of("c0,8,101z20").repacketize_ms, 20);
  EXPECT_EQ(party_of("c,,0,300,128,127,").codecs, (std::vector<std::uint8_t>{0, 127}));
  EXPECT_FALSE(party_of("c0").ipv6);
}

TEST(RtpproxyDecode, ttl_modifier_of_opensips_is_taken_with_and_without_digits) {
  EXPECT_EQ(party_of("").idle_ttl, std::nullopt);
  EXPECT_EQ(party_of("T").idle_ttl, std::nullopt);
  EXPECT_EQ(party_of("t0").idle_ttl, std::nullopt);
  EXPECT_EQ(party_of("T90").idle_ttl, seconds{90});
  EXPECT_EQ(party_of("ac0,8t3600").idle_ttl, seconds{3600});
  EXPECT_EQ(party_of("T99999999999999").idle_ttl, seconds{1 << 30});
}

TEST(RtpproxyDecode, local_address_may_be_chosen_by_address_label_or_route) {
  EXPECT_EQ(name_of(party_of("").port_on), "-");
  EXPECT_EQ(name_of(party_of("l10.0.0.1").port_on), "at 10.0.0.1");
  EXPECT_EQ(name_of(party_of("l[2001:db8::1]").port_on), "at 2001:db8::1");
  EXPECT_EQ(name_of(party_of("l{six}c0").port_on), "six");
  EXPECT_EQ(name_of(party_of("R192.0.2.1C0").port_on), "to 192.0.2.1");
  EXPECT_EQ(name_of(party_of("r[::1]").port_on), "to ::1");
  EXPECT_EQ(party_of("l{e}c0").codecs.size(), 1u);
}

TEST(RtpproxyDecode, interface_letters_are_first_the_speakers_side_then_the_other) {
  struct Case {
    std::string_view modifiers, facing_party, facing_other;
  };
  constexpr std::array kCases{
      Case{"", "-", "-"},
      Case{"e", "external", "-"},
      Case{"IE", "internal", "external"},
      Case{"EI", "external", "internal"},
      Case{"ee", "external", "external"},
  };
  for (const Case& c : kCases) {
    const session::PartySide party = party_of(c.modifiers);
    EXPECT_EQ(name_of(party.facing_party), c.facing_party) << c.modifiers;
    EXPECT_EQ(name_of(party.facing_other), c.facing_other) << c.modifiers;
  }
}

TEST(RtpproxyDecode, address_is_numeric_and_of_the_family_that_the_command_names) {
  struct Case {
    std::string_view line, remote;
  };
  constexpr std::array kCases{
      Case{"U c 192.0.2.7 5000 f", "192.0.2.7:5000"},
      Case{"U6 c 2001:db8::7 5000 f", "[2001:db8::7]:5000"},
      Case{"U6 c ::ffff:192.0.2.7 5000 f", "192.0.2.7:5000"},  // one peer has one value
      Case{"U c 0.0.0.0 5000 f", "0.0.0.0:5000"},  // hold
      Case{"U6 c :: 5000 f", "[::]:5000"},
      Case{"U c 192.0.2.7 0 f", "192.0.2.7:0"},
      Case{"U c 192.0.2.7 65537 f", "192.0.2.7:1"},
      Case{"U c 192.0.2.7 655360000000000000000000000001 f", "192.0.2.7:1"},
  };
  for (const Case& c : kCases) {
    const auto remote = command_of<session::Offer>(c.line).party.remote;
    ASSERT_TRUE(remote.has_value()) << c.line;
    EXPECT_EQ(remote->to_string(), c.remote) << c.line;
  }
  for (const std::string_view line : {"U c - 5000 f", "U c 1.2.3 5000 f", "U6 c : 5000 f"}) {
    EXPECT_FALSE(command_of<session::Offer>(line).party.remote.has_value()) << line;
  }
}

TEST(RtpproxyDecode, lookup_speaks_for_the_party_of_its_to_tag) {
  const auto answer = command_of<session::Answer>("LAc8 c 192.0.2.8 6000 f;1 t;1");
  EXPECT_EQ(answer.parties.from, "f;1");
  EXPECT_EQ(answer.parties.to, "t;1");
  EXPECT_EQ(answer.party.asymmetric, true);
  EXPECT_EQ(answer.party.remote, net::Endpoint::parse("192.0.2.8:6000"));
  EXPECT_EQ(command_of<session::Answer>("l c 192.0.2.8 6000 f").parties.to, "");
}

TEST(RtpproxyDecode, lines_as_the_sip_servers_send_them_are_understood) {
  // Call-ids, tags and addresses are made up; the shapes are those of the modules' sources.
  constexpr std::array kLines{
      // Kamailio
      std::string_view{"V"},
      std::string_view{"VF 20050322"},
      std::string_view{"VF 20081102"},
      std::string_view{"Uc0,8,101 3c2f@pbx;z9hG4bKa1 192.0.2.7 5000 a73k;1"},
      std::string_view{"US6c0 3c2f@pbx 2001:db8::7 5000 a73k;1"},
      std::string_view{"UIEc0,101 3c2f@pbx 192.0.2.7 5000 a73k;1"},
      std::string_view{"LEIc0,101 3c2f@pbx 192.0.2.8 6000 a73k;1 b22;1"},
      std::string_view{"UEI6Z30c0 3c2f@pbx 2001:db8::7 0 a73k;2 b22;2"},
      std::string_view{"D 3c2f@pbx a73k"},
      std::string_view{"D 3c2f@pbx;z9hG4bKa1 a73k b22"},
      std::string_view{"Q 3c2f@pbx a73k;1 b22"},
      std::string_view{"R 3c2f@pbx a73k b22"},
      std::string_view{"P-1 3c2f@pbx /var/ann/hold session a73k;1 b22;1"},
      std::string_view{"S 3c2f@pbx a73k;1"},
      // OpenSIPS
      std::string_view{"UASl192.0.2.1c8,0 9f1 192.0.2.7 5000 x;1 dummy;1 tcp:10.0.0.5:9000 T31.7"},
      std::string_view{"U6l[2001:db8::1]Z20c0 9f1 2001:db8::7 5000 x;1"},
      std::string_view{"UZ20R192.0.2.2c0T30 9f1 192.0.2.7 5000 x;1"},
      std::string_view{"L 9f1 192.0.2.8 6000 x;1 dummy"},
      std::string_view{"Q 9f1 x;1 y;1 rtpa_nsent rtpa_nrcvd rtpa_nlost rtpa_ndups rtpa_javg"},
      std::string_view{"C 9f1 udp:198.51.100.1:4000 x;1 y;1"},
      std::string_view{"N 9f1 x;1 ;1"},
  };
  for (const std::string_view line : kLines) {
    EXPECT_EQ(error_number(decode_full(line)), -1) << line;
  }
}

// --- the others ------------------------------------------------------------------------------------------------------

TEST(RtpproxyDecode, delete_may_name_the_weak_reference_alone) {
  EXPECT_FALSE(command_of<session::Delete>("D c f").weak);
  const auto weak = command_of<session::Delete>("dW c t f");
  EXPECT_TRUE(weak.weak);
  EXPECT_EQ(weak.parties.from, "t");
  EXPECT_EQ(weak.parties.to, "f");
  EXPECT_TRUE(std::holds_alternative<session::DeleteAll>(decode_full("x")->command));
}

TEST(RtpproxyDecode, media_commands_carry_all_that_their_stages_will_need) {
  const auto play = command_of<session::Play>("P-1 c /ann/hold session f t");
  EXPECT_EQ(play.repeat, -1);
  EXPECT_EQ(play.name, "/ann/hold");
  EXPECT_TRUE(play.codecs.empty());
  EXPECT_EQ(play.parties.to, "t");
  EXPECT_EQ(command_of<session::Play>("P c n 0,8 f").repeat, 1);
  EXPECT_EQ(command_of<session::Play>("P0 c n 0,8 f").codecs, (std::vector<std::uint8_t>{0, 8}));
  EXPECT_EQ(command_of<session::StopPlay>("S c f t").parties.from, "f");
  EXPECT_FALSE(command_of<session::StartRecording>("R c f").single_file);
  EXPECT_TRUE(command_of<session::StartRecording>("Rs c f").single_file);
  EXPECT_FALSE(command_of<session::StopRecording>("N c f").both);
  EXPECT_TRUE(command_of<session::StopRecording>("NA c f").both);
  const auto copy = command_of<session::Copy>("Csp c udp:192.0.2.4:4000 f t");
  EXPECT_EQ(copy.target, "udp:192.0.2.4:4000");
  EXPECT_EQ(copy.parties.from, "f");
  EXPECT_TRUE(copy.single_file && copy.tell_address);
}

TEST(RtpproxyDecode, questions_keep_their_names_in_order) {
  const auto query = decode_full("Qv c f t ttl rtpa_nlost");
  ASSERT_TRUE(query.has_value());
  EXPECT_TRUE(query->verbose);
  ASSERT_EQ(query->names.size(), 2u);
  EXPECT_EQ(query->names[1], "rtpa_nlost");
  EXPECT_TRUE(decode_full("Q c f t")->names.empty());
  EXPECT_EQ(decode_full("G nsess_created")->names[0], "nsess_created");
  EXPECT_FALSE(decode_full("G nsess_created")->verbose);
  EXPECT_TRUE(decode_full("IbL")->load);
  EXPECT_FALSE(decode_full("Ib")->load);
  EXPECT_EQ(decode_full("vf 20050322")->names[0], "20050322");
}

}  // namespace
}  // namespace millrace::control::rtpproxy
