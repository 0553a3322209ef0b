#include "access/access.hpp"

#include <gtest/gtest.h>

#include <array>

namespace millrace::access {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1000s};

// printf %s TOKEN | sha256sum
constexpr std::string_view kOpsToken = "ops-token";
constexpr std::string_view kOpsHash = "d9310c002af91822beb0b3487d8b04f85bf6bf1f8a5496bff7d35fc7c5a29def";
constexpr std::string_view kDashToken = "dash-token";
constexpr std::string_view kDashHash = "0a1be3282471dc6eef24ada1aec827fada31f7dc6d7a229ed202fa5993890018";

std::vector<IdentitySettings> two_identities() {
  return {{.name = "ops", .role = "operator", .token_sha256 = std::string{kOpsHash}, .certificate = "ops.example.net"},
          {.name = "dash", .role = "viewer", .token_sha256 = std::string{kDashHash}, .certificate = {}}};
}

std::unique_ptr<Access> make(const Settings& security, const std::vector<IdentitySettings>& identities = {},
                             const QuotaSettings& quotas = {}) {
  auto made = Access::create(security, identities, quotas);
  EXPECT_TRUE(made.has_value()) << (made ? "" : made.error());
  return made ? std::move(*made) : nullptr;
}

net::Address at(std::string_view text) { return *net::Address::parse(text); }
Credentials token(std::string_view text) { return {.bearer_token = std::string{text}}; }
Credentials certificate(std::vector<std::string> names) { return {.certificate_names = std::move(names)}; }

// "ops operator", or why not.
std::string who(const Access& access, const Credentials& credentials) {
  const auto identity = access.identify(credentials);
  if (identity) return identity->name + " " + std::string{name_of(identity->role)};
  EXPECT_EQ(identity.error().why, Refusal::unauthenticated);
  return identity.error().text;
}

TEST(Access, settings_that_are_read_again_count_at_once) {
  const auto access = make({}, two_identities());
  ASSERT_EQ(who(*access, token(kDashToken)), "dash viewer");
  auto identities = two_identities();
  identities.pop_back();
  EXPECT_TRUE(access->replace({}, identities).has_value());
  EXPECT_NE(who(*access, token(kDashToken)), "dash viewer");
  EXPECT_EQ(who(*access, token(kOpsToken)), "ops operator");
}

TEST(Access, settings_that_are_wrong_or_would_open_the_node_change_nothing) {
  const auto access = make({}, two_identities());
  auto wrong = two_identities();
  wrong.front().token_sha256 = "short";
  EXPECT_FALSE(access->replace({}, wrong).has_value());
  EXPECT_FALSE(access->replace({}, {}).has_value());
  EXPECT_EQ(who(*access, token(kDashToken)), "dash viewer");
}

TEST(Access, without_identities_everybody_is_anonymous_and_admin) {
  const auto access = make({});
  EXPECT_FALSE(access->authenticates());
  EXPECT_EQ(who(*access, {}), "anonymous admin");
  EXPECT_EQ(who(*access, {.peer = at("203.0.113.7")}), "anonymous admin");
}

TEST(Access, a_token_says_who_it_is) {
  const auto access = make({}, two_identities());
  EXPECT_TRUE(access->authenticates());
  EXPECT_EQ(who(*access, token(kOpsToken)), "ops operator");
  EXPECT_EQ(who(*access, token(kDashToken)), "dash viewer");
}

TEST(Access, hashes_may_be_written_with_capitals) {
  auto identities = two_identities();
  for (char& c : identities[0].token_sha256) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_EQ(who(*make({}, identities), token(kOpsToken)), "ops operator");
}

TEST(Access, nothing_shown_or_something_wrong_is_nobody) {
  const auto access = make({}, two_identities());
  EXPECT_NE(who(*access, {}).find("show a token"), std::string::npos);
  EXPECT_EQ(who(*access, token("")), "\"authorization\" is not \"Bearer TOKEN\"");
  for (const auto& wrong :
       {std::string{"ops-toke"}, std::string{"ops-token "}, std::string{kOpsHash}, std::string(100'000, 'x')}) {
    EXPECT_EQ(who(*access, token(wrong)), "nobody has this token");
  }
}

TEST(Access, a_wrong_token_is_not_made_good_by_a_certificate) {
  const auto access = make({}, two_identities());
  auto both = token("wrong");
  both.certificate_names = {"ops.example.net"};
  EXPECT_EQ(who(*access, both), "nobody has this token");
  EXPECT_EQ(who(*make({}), both), "nobody has this token") << "nor where no identities are";
  both.bearer_token = kDashToken;
  EXPECT_EQ(who(*access, both), "dash viewer") << "a good one decides";
}

TEST(Access, any_of_a_certificate_s_names_may_be_known) {
  const auto access = make({}, two_identities());
  EXPECT_EQ(who(*access, certificate({"ops.example.net"})), "ops operator");
  EXPECT_EQ(who(*access, certificate({"a.example.net", "ops.example.net"})), "ops operator");
  EXPECT_EQ(who(*access, certificate({"dash"})), "cert:dash operator") << "an identity's name is no certificate";
}

TEST(Access, a_certificate_without_a_name_is_one_that_nobody_names) {
  EXPECT_EQ(who(*make({.certificate_role = "viewer"}), certificate({""})), "cert: viewer");
  EXPECT_NE(who(*make({.certificate_role = "none"}), certificate({""})).find("nobody"), 0u);
  EXPECT_EQ(who(*make({.certificate_role = "viewer"}, two_identities()), certificate({""})), "cert: viewer")
      << "an identity without a certificate is not meant";
}

TEST(Access, a_certificate_that_nobody_names_has_the_role_of_the_settings) {
  EXPECT_EQ(who(*make({.certificate_role = "viewer"}), certificate({"x.example.net"})), "cert:x.example.net viewer");
  EXPECT_EQ(who(*make({.certificate_role = "admin"}, two_identities()), certificate({"x", "y"})), "cert:x admin");
  for (const auto& identities : {std::vector<IdentitySettings>{}, two_identities()}) {
    const auto access = make({.certificate_role = "none"}, identities);
    EXPECT_EQ(who(*access, certificate({"x.example.net"})),
              "no [[identity]] names the certificate 'x.example.net', and security.certificate_role is none");
  }
}

TEST(Access, peers_are_looked_at_before_anything_else) {
  const auto access = make({.peers = {"10.0.0.0/8", "2001:db8::1"}}, two_identities());
  auto shown = token(kOpsToken);
  for (const auto* peer : {"10.1.2.3", "2001:db8::1", "::ffff:10.1.2.3"}) {
    shown.peer = at(peer);
    EXPECT_EQ(who(*access, shown), "ops operator") << peer;
  }
  shown.peer = {};
  EXPECT_FALSE(access->identify(shown).has_value()) << "an address that nobody could read is in no network";
  shown.peer = at("192.0.2.1");
  const auto refused = access->identify(shown);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().why, Refusal::peer_not_allowed);
  EXPECT_EQ(refused.error().text, "192.0.2.1 may not use this API: security.peers does not name it");
}

TEST(Access, a_role_includes_those_below_it) {
  const auto access = make({});
  constexpr std::array kRoles{Role::viewer, Role::operator_, Role::admin};
  for (const auto has : kRoles) {
    for (const auto wanted : kRoles) {
      const auto allowed = access->require({.name = "dash", .role = has}, wanted);
      EXPECT_EQ(allowed.has_value(), has >= wanted) << name_of(has) << " " << name_of(wanted);
    }
  }
  const auto refused = access->require({.name = "dash", .role = Role::viewer}, Role::operator_);
  EXPECT_EQ(refused.error().why, Refusal::wrong_role);
  EXPECT_EQ(refused.error().text, "this wants the role operator; 'dash' has the role viewer");
}

TEST(Access, commands_are_counted_for_each_identity) {
  const auto access = make({}, {}, {.commands_per_second = 2});
  EXPECT_TRUE(access->count_command("ops", kStart));
  EXPECT_TRUE(access->count_command("ops", kStart));
  const auto refused = access->count_command("ops", kStart);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().why, Refusal::too_many_commands);
  EXPECT_EQ(refused.error().text, "'ops' may send 2 commands a second, says quota.commands_per_second");
  EXPECT_TRUE(access->count_command("dash", kStart));
  EXPECT_TRUE(access->count_command("ops", kStart + 500ms));
}

TEST(Access, local_addresses_are_those_of_the_list) {
  EXPECT_TRUE(make({})->may_listen(at("0.0.0.0")));
  const auto access = make({.listen_addresses = {"192.0.2.0/24"}});
  EXPECT_TRUE(access->may_listen(at("192.0.2.9")));
  for (const auto* address : {"198.51.100.1", "0.0.0.0", "::", "2001:db8::1"}) {
    const auto refused = access->may_listen(at(address));
    ASSERT_FALSE(refused.has_value()) << address;
    EXPECT_EQ(refused.error().why, Refusal::listen_not_allowed);
    EXPECT_NE(refused.error().text.find(std::string{address} + ": security.listen_addresses"), std::string::npos);
  }
}

TEST(Access, destinations_that_are_refused_say_so_by_their_reason) {
  const auto refused = make({})->may_reach(at("169.254.169.254"), at("192.0.2.1"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().why, Refusal::destination_not_allowed);
  EXPECT_TRUE(make({})->may_reach(at("203.0.113.9"), at("192.0.2.1")));
}

TEST(Access, settings_that_cannot_be_meant_are_refused_by_name) {
  struct Case {
    Settings security;
    std::vector<IdentitySettings> identities;
    std::string_view says;
  };
  const std::string hash{kOpsHash};
  const IdentitySettings good{.name = "a", .role = "viewer", .token_sha256 = hash, .certificate = {}};
  const std::array cases{
      Case{{.peers = {"x"}}, {}, "security.peers: 'x' is no network"},
      Case{{.allow_destinations = {"x"}}, {}, "security.allow_destinations: 'x'"},
      Case{{.deny_destinations = {"x"}}, {}, "security.deny_destinations: 'x'"},
      Case{{.listen_addresses = {"x"}}, {}, "security.listen_addresses: 'x'"},
      Case{{.certificate_role = "root"}, {}, "security.certificate_role: 'root'"},
      Case{{}, {{.name = "", .role = "viewer", .token_sha256 = hash, .certificate = {}}}, "identity.name: each"},
      Case{{}, {{.name = "a:b", .role = "viewer", .token_sha256 = hash, .certificate = {}}}, "no colons"},
      Case{{}, {{.name = "a\n", .role = "viewer", .token_sha256 = hash, .certificate = {}}}, "control characters"},
      Case{{}, {{.name = "anonymous", .role = "viewer", .token_sha256 = hash, .certificate = {}}}, "no identities"},
      Case{{}, {{.name = "a", .role = "root", .token_sha256 = hash, .certificate = {}}}, "identity.role of 'a'"},
      Case{{}, {{.name = "a", .role = "viewer", .token_sha256 = {}, .certificate = {}}}, "nobody could be it"},
      Case{{}, {{.name = "a", .role = "viewer", .token_sha256 = "12", .certificate = {}}}, "64 hexadecimal digits"},
      Case{{},
           {{.name = "a",
             .role = "viewer",
             .token_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
             .certificate = {}}},
           "identity.token_sha256 of 'a': this is the hash of an empty token"},
      Case{{},
           {{.name = "a", .role = "viewer", .token_sha256 = std::string(62, 'a') + "-1", .certificate = {}}},
           "identity.token_sha256 of 'a'"},
      Case{{}, {good, good}, "identity.name of 'a': there is another one"},
      Case{{},
           {good, {.name = "b", .role = "viewer", .token_sha256 = hash, .certificate = {}}},
           "identity.token_sha256 of 'b': another identity"},
      Case{{},
           {{.name = "a", .role = "viewer", .token_sha256 = {}, .certificate = "x"},
            {.name = "b", .role = "viewer", .token_sha256 = {}, .certificate = "x"}},
           "identity.certificate of 'b': another identity"},
  };
  for (const Case& c : cases) {
    const auto made = Access::create(c.security, c.identities, {});
    ASSERT_FALSE(made.has_value()) << c.says;
    EXPECT_NE(made.error().find(c.says), std::string::npos) << made.error();
  }
}

TEST(Access, no_text_for_a_peer_holds_a_token_or_its_hash) {
  const std::string secret = "a-secret-that-was-mistyped";
  const auto access = make({.peers = {"10.0.0.0/8"}}, two_identities(), {.commands_per_second = 1});
  EXPECT_TRUE(access->count_command("ops", kStart));
  const auto inside = at("10.1.2.3");
  std::vector<std::string> texts{
      access->identify({.peer = inside}).error().text,
      access->identify({.bearer_token = secret, .peer = inside}).error().text,
      access->identify({.bearer_token = secret, .peer = at("192.0.2.1")}).error().text,
      access->identify({.bearer_token = secret, .certificate_names = {"x"}, .peer = inside}).error().text,
      access->require(*access->identify({.bearer_token = std::string{kDashToken}, .peer = inside}), Role::admin)
          .error()
          .text,
      access->count_command("ops", kStart).error().text,
  };
  for (const auto& text : texts) {
    EXPECT_FALSE(text.empty());
    for (const auto part : {std::string_view{secret}, kOpsToken, kDashToken, kOpsHash, kDashHash}) {
      EXPECT_EQ(text.find(part), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace millrace::access
