#include "app/dropin_options.hpp"

#include <gtest/gtest.h>

#include <array>
#include <sstream>

namespace millrace::app {
namespace {

std::expected<DropInOptions, std::string> parse(const std::string& line) {
  std::vector<std::string> words{"rtpproxy"};
  std::istringstream stream{line};
  for (std::string word; stream >> word;) words.push_back(word);
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);  // getopt may look behind the last
  return parse_dropin_options(std::span{pointers}.first(words.size()));
}

TEST(DropInOptions, without_any_the_defaults_of_the_reference_hold) {
  const auto options = parse("");
  ASSERT_TRUE(options) << options.error();
  EXPECT_EQ(options->control_sockets, std::vector<std::string>{"unix:/var/run/rtpproxy.sock"});
  ASSERT_EQ(options->interfaces.size(), 1u);
  EXPECT_TRUE(options->interfaces[0].addresses[0].is_any());
  EXPECT_EQ(options->interfaces[0].range.first, 35000);
  EXPECT_EQ(options->interfaces[0].range.last, 64998);
  EXPECT_EQ(options->idle_ttl, 60);
  EXPECT_FALSE(options->setup_ttl);
  EXPECT_EQ(options->tos, 184);
  EXPECT_EQ(options->pid_file, "/var/run/rtpproxy.pid");
  EXPECT_EQ(options->log_level, "WARN");
  EXPECT_FALSE(options->foreground || options->bridging || options->sequential_ports);
}

TEST(DropInOptions, every_option_is_taken_and_those_without_a_meaning_are_named) {
  const auto options = parse(
      "-2fFiPabRD -l 127.0.0.1 -6 six@::1 -s udp:127.0.0.1:7722 -s stdio: -t 0 -r /tmp -S /tmp -T 30 -W 300 -L 1000 "
      "-m 10001 -M 10011 -u nobody:nogroup -w 438 -n tcp:127.0.0.1:99 -n /run/n.sock -d DBUG:LOG_LOCAL0 -p /dev/null "
      "-c fifo -A 192.0.2.1 --config f --dso m --force_asym --bridge_symmetric --no_resolve --no_redirect --nice -5 "
      "--overload_prot=x --set latching.policy=safe");
  ASSERT_TRUE(options) << options.error();
  EXPECT_EQ(options->interfaces.size(), 2u);
  EXPECT_EQ(options->interfaces[0].advertised, "192.0.2.1");
  EXPECT_EQ(options->interfaces[0].range.first, 10002);
  EXPECT_EQ(options->interfaces[0].range.last, 10010);
  EXPECT_EQ(options->interfaces[1].name, "six");
  EXPECT_EQ(options->socket_mode, 0666u);
  EXPECT_EQ(options->setup_ttl, 300);
  EXPECT_EQ(options->nice, -5);
  EXPECT_TRUE(options->force_asymmetric && options->bridge_symmetric && options->no_resolve);
  EXPECT_EQ(options->without_effect.size(), 8u);
  EXPECT_EQ(options->set, std::vector<std::string>{"latching.policy=safe"});
}

TEST(DropInOptions, the_first_address_is_the_default_of_either_family) {
  EXPECT_EQ(parse("-6 ::1 -l four@127.0.0.1")->interfaces[0].addresses[0].to_string(), "::1");
  EXPECT_EQ(parse("-l 127.0.0.1 -6 six@::1 -l four@127.0.0.2")->interfaces[0].addresses[0].to_string(), "127.0.0.1");
}

TEST(DropInOptions, what_the_reference_refuses_is_refused_with_a_reason) {
  struct Case {
    std::string_view line, reason;
  };
  constexpr std::array kCases{
      Case{"-x", "-x"},
      Case{"--nothing", "--nothing"},
      Case{"extra", "extra"},
      Case{"-T", "-T"},
      Case{"-T 0", "-T"},
      Case{"-T 0x10", "0x10"},
      Case{"-T ten", "ten"},
      Case{"-t 256", "256"},
      Case{"-m 0", "-m"},
      Case{"-M 65536", "-M"},
      Case{"-m 200 -M 100", "-m 200"},
      Case{"-m 35001 -M 35002", "35002"},
      Case{"-d LOUD", "LOUD"},
      Case{"-d INFO:LOG_NOWHERE", "LOG_NOWHERE"},
      Case{"-c idle", "idle"},
      Case{"-n tcp:127.0.0.1", "HOST:PORT"},
      Case{"-n tcp:", "empty"},
      Case{"-S /tmp", "-r"},
      Case{"-s stdio:", "-f"},
      Case{"-s systemd: -s systemd:", "only one"},
      Case{"-s udp:", "host"},
      Case{"-L 0", "-L"},
      Case{"-W 0", "-W"},
      Case{"-L many", "many"},
      Case{"-w 0x1ff", "0x1ff"},
      Case{"-l 127.0.0.1 -l 127.0.0.2", "label"},
      Case{"-l ::1", "family"},
      Case{"-l nosuch.invalid --no_resolve", "nosuch.invalid"},
  };
  for (const auto& c : kCases) {
    const auto options = parse(std::string{c.line});
    ASSERT_FALSE(options) << c.line;
    EXPECT_NE(options.error().find(c.reason), std::string::npos) << c.line << ": " << options.error();
  }
}

TEST(DropInOptions, root_with_a_udp_control_socket_needs_a_user_or_the_word_that_it_is_meant) {
  EXPECT_TRUE(parse("-s udp:127.0.0.1:1")->refuses_root());
  EXPECT_FALSE(parse("-s udp:127.0.0.1:1 -F")->refuses_root());
  EXPECT_FALSE(parse("-s udp:127.0.0.1:1 -u nobody")->refuses_root());
  EXPECT_FALSE(parse("-s unix:/run/x.sock")->refuses_root());
}

TEST(DropInOptions, questions_are_answered_without_a_whole_configuration) {
  EXPECT_EQ(parse("-v")->action, DropInOptions::Action::show_features);
  EXPECT_EQ(parse("-V")->action, DropInOptions::Action::show_version);
  EXPECT_EQ(parse("-C")->action, DropInOptions::Action::show_clock);
}

}  // namespace
}  // namespace millrace::app
