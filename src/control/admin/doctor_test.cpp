#include "control/admin/doctor.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace millrace::control::admin {
namespace {

net::Address address(std::string_view text) { return *net::Address::parse(text); }

// A host and a node with nothing to mend.
NodeFacts healthy_node() {
  NodeFacts node;
  node.interfaces = {{.name = "", .addresses = {address("203.0.113.7")}, .advertised = "", .range = {10000, 19998}}};
  return node;
}
HostFacts healthy_host() {
  HostFacts host;
  host.open_files_limit = 524288;
  host.receive_buffer_max = 1 << 20;
  host.addresses = {address("203.0.113.7"), address("127.0.0.1")};
  host.default_route = address("203.0.113.7");
  return host;
}

// The findings that are not fine, as "severity check".
std::vector<std::string> complaints(const NodeFacts& node, const HostFacts& host) {
  std::vector<std::string> found;
  for (const auto& finding : examine(node, host)) {
    if (finding.severity == Severity::fine) continue;
    EXPECT_FALSE(finding.mend.empty()) << finding.says;
    found.push_back(std::string{name_of(finding.severity)} + " " + finding.check);
  }
  return found;
}
using List = std::vector<std::string>;

TEST(Doctor, finds_nothing_on_a_healthy_host) { EXPECT_EQ(complaints(healthy_node(), healthy_host()), List{}); }

TEST(Doctor, a_private_loopback_or_wildcard_address_that_phones_are_told_is_pointed_out) {
  for (const auto* text : {"192.168.1.4", "10.0.0.1", "100.64.0.1", "127.0.0.1", "0.0.0.0", "fd00::1"}) {
    auto node = healthy_node();
    auto host = healthy_host();
    node.interfaces[0].addresses = {address(text)};
    host.addresses.push_back(address(text));
    EXPECT_EQ(complaints(node, host), List{"advice advertised"}) << text;
    node.interfaces[0].advertised = "203.0.113.9";
    EXPECT_EQ(complaints(node, host), List{}) << text << " behind a public address";
  }
}

TEST(Doctor, an_address_that_left_the_host_is_a_problem_and_the_present_ones_are_listed) {
  auto host = healthy_host();
  host.addresses = {address("203.0.113.8")};
  EXPECT_EQ(complaints(healthy_node(), host), List{"problem address"});
  EXPECT_NE(examine(healthy_node(), host)[0].mend.find("203.0.113.8"), std::string::npos);
}

TEST(Doctor, media_ports_that_the_kernel_hands_out_are_advised_against_unless_reserved) {
  auto node = healthy_node();
  auto host = healthy_host();
  node.interfaces[0].range = {30000, 39998};
  EXPECT_EQ(complaints(node, host), List{"advice ephemeral ports"});
  host.reserved_ports = "8080,30000-39999";
  EXPECT_EQ(complaints(node, host), List{});
  host.reserved_ports = "30000-35000";
  EXPECT_EQ(complaints(node, host), List{"advice ephemeral ports"});
}

TEST(Doctor, ports_held_by_other_programs_are_counted_and_our_own_are_not) {
  auto node = healthy_node();
  auto host = healthy_host();
  host.udp_sockets = {*net::Endpoint::parse("203.0.113.7:10000"), *net::Endpoint::parse("203.0.113.7:10001"),
                      *net::Endpoint::parse("198.51.100.1:10002"), *net::Endpoint::parse("203.0.113.7:9999")};
  node.ports.in_use = 1;
  EXPECT_EQ(complaints(node, host), List{});
  node.ports.in_use = 0;
  EXPECT_EQ(complaints(node, host), List{"advice ports taken"});
}

TEST(Doctor, a_descriptor_limit_below_the_range_says_how_many_calls_it_serves) {
  auto host = healthy_host();
  host.open_files_limit = 1024;
  EXPECT_EQ(complaints(healthy_node(), host), List{"advice descriptors"});
  const auto findings = examine(healthy_node(), host);
  const auto found = std::ranges::find(findings, "descriptors", &Finding::check);
  EXPECT_NE(found->says.find("231 calls"), std::string::npos) << found->says;
  EXPECT_NE(found->mend.find("10100"), std::string::npos) << found->mend;
}

TEST(Doctor, buffers_ports_and_the_log_have_their_own_advice) {
  auto node = healthy_node();
  auto host = healthy_host();
  node.receive_buffer = 4 << 20;
  EXPECT_EQ(complaints(node, host), List{"advice receive buffers"});
  node = healthy_node();
  host.udp_receive_buffer_errors = 3;
  EXPECT_EQ(complaints(node, host), List{"advice receive buffers"});
  host = healthy_host();
  node.ports.in_use = 4500;
  EXPECT_EQ(complaints(node, host), List{"problem ports left"});
  node.ports = {.taken_while_resting = 1};
  EXPECT_EQ(complaints(node, host), List{"advice ports left"});
  node = healthy_node();
  node.log_lines_dropped = 1;
  EXPECT_EQ(complaints(node, host), List{"advice log"});
}

TEST(Doctor, ports_and_sockets_that_the_machine_refused_are_problems_with_its_own_words) {
  auto node = healthy_node();
  node.ports.failed = 3;
  node.port_failure = "bind 203.0.113.7:10000: Too many open files";
  EXPECT_EQ(complaints(node, healthy_host()), List{"problem sockets"});
  const auto findings = examine(node, healthy_host());
  EXPECT_TRUE(std::ranges::any_of(findings, [](const auto& f) { return f.says.ends_with("Too many open files"); }));
  node = healthy_node();
  node.engine.sockets_failed = 1;
  EXPECT_EQ(complaints(node, healthy_host()), List{"problem sockets"});
}

TEST(HostFacts, of_this_process_can_be_read) {
  const auto facts = read_host_facts(0);  // no such process: the limit stays unknown, the rest is there
  EXPECT_EQ(facts.open_files_limit, 0u);
  EXPECT_GT(facts.receive_buffer_max, 0u);
  EXPECT_LT(facts.ephemeral_ports.first, facts.ephemeral_ports.second);
}

}  // namespace
}  // namespace millrace::control::admin
