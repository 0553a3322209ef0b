#include "control/grpc/translate.hpp"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/grpc/session_name.hpp"

namespace millrace::control::grpc {
namespace {

using namespace std::chrono_literals;

pb::CreateSessionRequest a_create() {
  pb::CreateSessionRequest request;
  EXPECT_TRUE(::google::protobuf::TextFormat::ParseFromString(R"(
      session_id: "a1"
      listen_endpoint { address: "192.0.2.1" port: 5000 }
      forward_endpoint { address: "198.51.100.1" port: 6000 }
      destination_endpoint { address: "198.51.100.9" port: 7000 }
      protocol: UDP)",
                                                              &request));
  return request;
}

void set(pb::Endpoint& endpoint, std::string_view address, std::uint32_t port) {
  endpoint.set_address(std::string{address});
  endpoint.set_port(port);
}

struct Refusal {
  std::string_view name;
  std::function<void(pb::CreateSessionRequest&)> change;
  std::string_view text;  // a part of the answer, beginning with the field
};

const std::vector<Refusal> kEndpointRefusals{
    {"no listen endpoint", [](auto& r) { r.clear_listen_endpoint(); },
     "listen_endpoint.address: an IPv4 or IPv6 address is wanted"},
    {"no forward endpoint", [](auto& r) { r.clear_forward_endpoint(); }, "forward_endpoint.address: an IPv4 or IPv6"},
    {"no destination", [](auto& r) { r.clear_destination_endpoint(); }, "destination_endpoint.address: an IPv4 or"},
    {"a name", [](auto& r) { set(*r.mutable_destination_endpoint(), "example.net", 7000); },
     "destination_endpoint.address: \"example.net\" is not an IP address; an IPv4 or IPv6 address is wanted, no name"},
    {"an address with its port", [](auto& r) { set(*r.mutable_listen_endpoint(), "192.0.2.1:5000", 0); },
     "listen_endpoint.address: \"192.0.2.1:5000\" is not an IP address"},
    {"IPv4 in brackets", [](auto& r) { set(*r.mutable_listen_endpoint(), "[192.0.2.1]", 0); },
     "listen_endpoint.address: \"[192.0.2.1]\" is not an IP address"},
    {"half a bracket", [](auto& r) { set(*r.mutable_listen_endpoint(), "[2001:db8::1", 0); },
     "listen_endpoint.address: \"[2001:db8::1\" is not an IP address"},
    {"a scope", [](auto& r) { set(*r.mutable_listen_endpoint(), "fe80::1%eth0", 0); },
     "listen_endpoint.address: \"fe80::1%eth0\" has a scope, addresses with one are not taken"},
    {"a scope in brackets", [](auto& r) { set(*r.mutable_listen_endpoint(), "[fe80::1%eth0]", 0); },
     "listen_endpoint.address: \"[fe80::1%eth0]\" has a scope"},
    {"an unspecified destination", [](auto& r) { set(*r.mutable_destination_endpoint(), "::", 5000); },
     "destination_endpoint.address: :: is the unspecified address"},
    {"ten kilobytes", [](auto& r) { set(*r.mutable_listen_endpoint(), std::string(10'000, '1'), 0); },
     "listen_endpoint.address: \"1111"},
    {"a control character", [](auto& r) { set(*r.mutable_listen_endpoint(), "192.0.2.1\n", 0); },
     "listen_endpoint.address: \"192.0.2.1\\n\" is not"},
    {"a port above 65535", [](auto& r) { set(*r.mutable_listen_endpoint(), "192.0.2.1", 65536); },
     "listen_endpoint.port: 65536 is above 65535"},
    {"a huge port", [](auto& r) { set(*r.mutable_forward_endpoint(), "192.0.2.1", 4294967295U); },
     "forward_endpoint.port: 4294967295 is above 65535"},
    {"destination port 0", [](auto& r) { r.mutable_destination_endpoint()->set_port(0); },
     "destination_endpoint.port: a port from 1 to 65535 is wanted"},
    {"listen is forward", [](auto& r) { *r.mutable_forward_endpoint() = r.listen_endpoint(); },
     "forward_endpoint: 192.0.2.1:5000 is the listen_endpoint"},
    {"destination is listen", [](auto& r) { *r.mutable_destination_endpoint() = r.listen_endpoint(); },
     "destination_endpoint: 192.0.2.1:5000 is the listen_endpoint"},
    {"destination is forward", [](auto& r) { *r.mutable_destination_endpoint() = r.forward_endpoint(); },
     "destination_endpoint: 198.51.100.1:6000 is the forward_endpoint"},
    {"destination is forward, spelled otherwise",
     [](auto& r) { set(*r.mutable_destination_endpoint(), "::ffff:198.51.100.1", 6000); },
     "destination_endpoint: 198.51.100.1:6000 is the forward_endpoint"},
    {"families differ", [](auto& r) { set(*r.mutable_destination_endpoint(), "2001:db8::9", 7000); },
     "destination_endpoint.address: 2001:db8::9 cannot be reached from forward_endpoint 198.51.100.1: one is IPv4"},
};

const std::vector<Refusal> kOtherRefusals{
    {"no protocol", [](auto& r) { r.clear_protocol(); }, "protocol: UDP (1) or TCP (2) is wanted"},
    {"an unknown protocol", [](auto& r) { r.set_protocol(static_cast<pb::Protocol>(99)); }, "protocol: UDP (1) or"},
    {"a negative protocol", [](auto& r) { r.set_protocol(static_cast<pb::Protocol>(-1)); }, "protocol: UDP (1) or"},
    {"an unknown forward protocol", [](auto& r) { r.set_forward_protocol(static_cast<pb::Protocol>(7)); },
     "forward_protocol: UDP (1) or TCP (2)"},
    {"protocols differ, unframed", [](auto& r) { r.set_forward_protocol(pb::TCP); },
     "forward_protocol: another one than protocol needs framing"},
    {"framing of UDP", [](auto& r) { r.set_framing(pb::FRAMING_RFC4571); }, "framing: only a TCP side can be framed"},
    {"an unknown framing", [](auto& r) { r.set_framing(static_cast<pb::Framing>(5)); }, "framing: FRAMING_NONE (0) or"},
    {"an id of ten kilobytes", [](auto& r) { r.set_session_id(std::string(10'000, 'a')); },
     "session_id: has 10000 bytes, at most 255 are allowed"},
    {"an id of one byte too many", [](auto& r) { r.set_session_id(std::string(256, 'a')); }, "session_id: has 256"},
    {"a newline in an id", [](auto& r) { r.set_session_id("a\nb"); }, "session_id: control characters"},
    {"a nul in an id", [](auto& r) { r.set_session_id(std::string("a\0b", 3)); }, "session_id: control characters"},
    {"a C1 control in an id",
     [](auto& r) {
       r.set_session_id(
           "a\xc2\x9b"
           "b");
     },
     "session_id: control characters"},
    {"a long request id", [](auto& r) { r.set_request_id(std::string(256, 'a')); }, "request_id: has 256 bytes"},
    {"too many labels",
     [](auto& r) {
       for (int i = 0; i < 33; ++i) (*r.mutable_labels())["k" + std::to_string(i)] = "v";
     },
     "labels: 33 of them, at most 32 are allowed"},
    {"a label without a key", [](auto& r) { (*r.mutable_labels())[""] = "v"; }, "labels: a key has 0 bytes"},
    {"a long key", [](auto& r) { (*r.mutable_labels())[std::string(64, 'k')] = "v"; }, "labels: a key has 64 bytes"},
    {"a long value", [](auto& r) { (*r.mutable_labels())["k"] = std::string(256, 'v'); },
     "labels: the value of \"k\" has 256 bytes"},
    {"a control character in a label", [](auto& r) { (*r.mutable_labels())["k"] = "\x1b[2J"; },
     "labels: \"k\" has control characters"},
    {"a short burst", [](auto& r) { r.mutable_limits()->set_burst_ms(9); }, "limits.burst_ms: 9 is not within 10 to"},
    {"a long burst", [](auto& r) { r.mutable_limits()->set_burst_ms(60'001); }, "limits.burst_ms: 60001 is not"},
    {"a long connect", [](auto& r) { r.mutable_tcp()->set_connect_timeout_ms(600'001); }, "tcp.connect_timeout_ms: "},
    {"a long keep-alive", [](auto& r) { r.mutable_tcp()->set_keep_alive_seconds(32'768); },
     "tcp.keep_alive_seconds: 32768 is above 32767"},
    {"a long user time-out", [](auto& r) { r.mutable_tcp()->set_user_timeout_seconds(4294967295U); },
     "tcp.user_timeout_seconds: 4294967295 is above 86400"},
};

TEST(GrpcTranslate, a_create_that_is_wrong_is_told_which_field_and_what_is_allowed) {
  for (const auto* table : {&kEndpointRefusals, &kOtherRefusals}) {
    for (const Refusal& c : *table) {
      auto request = a_create();
      c.change(request);
      const auto command = to_create(request);
      ASSERT_FALSE(command.has_value()) << c.name;
      EXPECT_EQ(command.error().code, Code::invalid_argument) << c.name;
      EXPECT_EQ(command.error().text.substr(0, c.text.size()), c.text) << c.name;
      EXPECT_LT(command.error().text.size(), 400U) << c.name;
    }
  }
}

TEST(GrpcTranslate, an_empty_create_is_refused) {
  const auto command = to_create({});
  ASSERT_FALSE(command.has_value());
  EXPECT_EQ(command.error().text, "listen_endpoint.address: an IPv4 or IPv6 address is wanted");
}

TEST(GrpcTranslate, a_create_is_taken_field_by_field) {
  auto request = a_create();
  request.set_timeout_seconds(4294967295U);
  request.set_stats_interval_seconds(7);
  (*request.mutable_labels())["tenant"] = "blue";
  request.mutable_limits()->set_packets_per_second(100);
  request.mutable_limits()->set_bits_per_second(1ULL << 40U);
  const auto command = to_create(request);
  ASSERT_TRUE(command.has_value()) << command.error().text;
  EXPECT_EQ(command->call_id, "a1");
  EXPECT_EQ(command->caller.local.to_string(), "192.0.2.1:5000");
  EXPECT_EQ(command->callee.local.to_string(), "198.51.100.1:6000");
  EXPECT_EQ(command->destination.to_string(), "198.51.100.9:7000");
  EXPECT_EQ(command->caller.transport, flow::Transport::datagram);
  EXPECT_EQ(command->callee.transport, flow::Transport::datagram);
  EXPECT_EQ(command->options.idle_timeout, 4294967295s);
  EXPECT_EQ(command->options.stats_interval, 7s);
  EXPECT_EQ(command->options.limit,
            (flow::RateLimit{.packets_per_second = 100, .bits_per_second = 1ULL << 40U, .burst = 1s}));
  EXPECT_EQ(command->options.stream, flow::StreamOptions{});
  EXPECT_EQ(command->labels, (session::Labels{{"tenant", "blue"}}));
}

TEST(GrpcTranslate, zeros_mean_what_the_contract_says) {
  auto request = a_create();
  request.clear_session_id();
  request.mutable_listen_endpoint()->set_port(0);
  request.mutable_forward_endpoint()->set_port(0);
  set(*request.mutable_forward_endpoint(), "192.0.2.1", 0);  // the listen address: two ports are chosen
  set(*request.mutable_destination_endpoint(), "192.0.2.9", 1);
  const auto command = to_create(request);
  ASSERT_TRUE(command.has_value()) << command.error().text;
  EXPECT_EQ(command->call_id, "");
  EXPECT_EQ(command->options.idle_timeout, 0s);
  EXPECT_EQ(command->options.stats_interval, 0s);
  EXPECT_FALSE(command->options.limit.has_value());
}

TEST(GrpcTranslate, longest_ids_and_labels_are_taken) {
  auto request = a_create();
  request.set_session_id(std::string(kMaxSessionId, 'a'));
  request.set_request_id(std::string(kMaxRequestId, 'a'));
  for (std::size_t i = 0; i < kMaxLabels; ++i) {
    std::string key = std::to_string(i);
    key.resize(kMaxLabelKey, 'k');
    (*request.mutable_labels())[key] = std::string(kMaxLabelValue, 'v');
  }
  EXPECT_TRUE(to_create(request).has_value());
}

TEST(GrpcTranslate, ipv6_may_have_brackets) {
  for (const std::string_view address : {"2001:db8::1", "[2001:db8::1]"}) {
    auto request = a_create();
    set(*request.mutable_listen_endpoint(), address, 5000);
    const auto command = to_create(request);
    ASSERT_TRUE(command.has_value()) << command.error().text;
    EXPECT_EQ(command->caller.local.to_string(), "[2001:db8::1]:5000");
  }
}

TEST(GrpcTranslate, adjacent_ports_are_no_mistake) {
  auto request = a_create();  // the forward port is where the listen side's RTCP would be: it runs without RTCP
  set(*request.mutable_forward_endpoint(), "192.0.2.1", 5001);
  set(*request.mutable_destination_endpoint(), "192.0.2.9", 7000);
  EXPECT_TRUE(to_create(request).has_value());
}

struct TransportCase {
  std::string_view name;
  pb::Protocol protocol, forward;
  pb::Framing framing;
  flow::Transport caller, callee;
};

TEST(GrpcTranslate, protocols_and_framing_make_the_transports) {
  using enum flow::Transport;
  const auto none = pb::FRAMING_NONE, framed = pb::FRAMING_RFC4571;
  const auto same = pb::PROTOCOL_UNSPECIFIED;
  for (const TransportCase& c : {
           TransportCase{"udp", pb::UDP, same, none, datagram, datagram},
           TransportCase{"udp twice", pb::UDP, pb::UDP, none, datagram, datagram},
           TransportCase{"tcp", pb::TCP, same, none, stream, stream},
           TransportCase{"framed tcp", pb::TCP, pb::TCP, framed, framed_stream, framed_stream},
           TransportCase{"udp to tcp", pb::UDP, pb::TCP, framed, datagram, framed_stream},
           TransportCase{"tcp to udp", pb::TCP, pb::UDP, framed, framed_stream, datagram},
       }) {
    auto request = a_create();
    request.set_protocol(c.protocol);
    request.set_forward_protocol(c.forward);
    request.set_framing(c.framing);
    const auto command = to_create(request);
    ASSERT_TRUE(command.has_value()) << c.name << ": " << command.error().text;
    EXPECT_EQ(command->caller.transport, c.caller) << c.name;
    EXPECT_EQ(command->callee.transport, c.callee) << c.name;
  }
}

TEST(GrpcTranslate, one_port_may_serve_two_protocols) {
  auto request = a_create();
  request.set_forward_protocol(pb::TCP);
  request.set_framing(pb::FRAMING_RFC4571);
  *request.mutable_forward_endpoint() = request.listen_endpoint();
  EXPECT_TRUE(to_create(request).has_value());
}

TEST(GrpcTranslate, tcp_options_have_defaults_and_limits) {
  auto request = a_create();
  request.set_protocol(pb::TCP);
  request.mutable_tcp()->set_keep_alive_seconds(kLongestKeepAlive);
  const auto command = to_create(request);
  ASSERT_TRUE(command.has_value());
  EXPECT_EQ(command->options.stream.connect_timeout, 5000ms);
  EXPECT_EQ(command->options.stream.keep_alive, 32'767s);
  EXPECT_EQ(command->options.stream.user_timeout, 120s);
}

TEST(GrpcTranslate, an_update_changes_what_it_names) {
  pb::UpdateSessionRequest request;
  EXPECT_EQ(to_update(request).error().text, "session_id: the id of a session is wanted");
  request.set_session_id("a1");
  auto update = to_update(request);
  ASSERT_TRUE(update.has_value());
  EXPECT_FALSE(update->destination || update->options.idle_timeout || update->options.stats_interval ||
               update->options.limit);
  request.set_timeout_seconds(0);
  request.set_stats_interval_seconds(5);
  request.mutable_limits();
  set(*request.mutable_destination_endpoint(), "198.51.100.9", 7002);
  update = to_update(request);
  ASSERT_TRUE(update.has_value());
  EXPECT_EQ(update->options.idle_timeout, 0s);
  EXPECT_EQ(update->options.stats_interval, 5s);
  EXPECT_EQ(update->options.limit, flow::RateLimit{});
  EXPECT_EQ(update->destination->to_string(), "198.51.100.9:7002");
  request.mutable_destination_endpoint()->set_port(0);
  EXPECT_FALSE(to_update(request).has_value());
}

TEST(GrpcTranslate, an_update_must_fit_the_session) {
  session::View view;
  view.sides[0].local = *net::Endpoint::parse("192.0.2.1:5000");
  view.sides[1].local = *net::Endpoint::parse("192.0.2.1:6000");
  session::Update update{.call_id = "a1"};
  EXPECT_TRUE(check_update(update, view).has_value());
  for (const auto& [destination, fits] : {std::pair{"192.0.2.9:5000", true}, std::pair{"192.0.2.1:5000", false},
                                          std::pair{"192.0.2.1:6000", false}, std::pair{"[2001:db8::1]:5000", false}}) {
    update.destination = net::Endpoint::parse(destination);
    EXPECT_EQ(check_update(update, view).has_value(), fits) << destination;
  }
}

TEST(GrpcTranslate, a_list_may_be_filtered_and_paged) {
  pb::ListSessionsRequest request;
  auto wanted = to_list(request);
  ASSERT_TRUE(wanted.has_value());
  EXPECT_EQ(wanted->page_size, kMaxPageSize);
  EXPECT_EQ(wanted->after, ConnectionId{0});
  EXPECT_FALSE(wanted->state || wanted->calls);
  request.set_state_filter(pb::ERROR);
  request.set_page_size(4294967295U);
  request.set_page_token(page_token(ConnectionId{0xabcdef0123ULL}));
  (*request.mutable_labels())["a"] = "b";
  wanted = to_list(request);
  ASSERT_TRUE(wanted.has_value());
  EXPECT_EQ(wanted->page_size, kMaxPageSize);
  EXPECT_EQ(wanted->after, ConnectionId{0xabcdef0123ULL});
  session::View view;
  view.state = session::State::failed;
  EXPECT_FALSE(matches(view, *wanted));
  view.labels = {{"a", "b"}, {"c", "d"}};
  EXPECT_TRUE(matches(view, *wanted));
  view.state = session::State::active;
  EXPECT_FALSE(matches(view, *wanted));
  request.set_state_filter(static_cast<pb::SessionState>(77));
  EXPECT_EQ(to_list(request).error().text.substr(0, 13), "state_filter:");
}

TEST(GrpcTranslate, only_our_own_page_tokens_are_taken) {
  for (const std::string_view token :
       {"x", "after-", "after-0", "after-xyz", "after-1 ", "after--1", "1", "after-11111111111111111", "AFTER-1"}) {
    EXPECT_FALSE(from_page_token(token).has_value()) << token;
  }
  EXPECT_EQ(from_page_token(page_token(ConnectionId{~0ULL})), ConnectionId{~0ULL});
}

TEST(GrpcSessionName, known_ids_may_be_as_long_as_the_text_protocols) {
  EXPECT_TRUE(check_known_session_id(std::string(4096, 'c') + "/" + std::string(4096, 't') + ";12", "session_id"));
  EXPECT_FALSE(check_known_session_id(std::string(10'240, 'c'), "session_id"));
  EXPECT_FALSE(check_known_session_id("", "session_id"));
}

TEST(GrpcSessionName, a_call_and_its_tag_are_split_at_the_last_slash) {
  const auto parts = split_call_and_tag("a/b@c/tag;1");
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->call_id, "a/b@c");
  EXPECT_EQ(parts->tag, "tag;1");
  EXPECT_FALSE(split_call_and_tag("a1").has_value());
}

TEST(GrpcSessionName, new_ids_are_uuids_of_version_four) {
  const auto id = new_session_id();
  ASSERT_EQ(id.size(), 36U);
  EXPECT_EQ(id[14], '4');
  EXPECT_NE(std::string_view{"89ab"}.find(id[19]), std::string_view::npos);
  EXPECT_NE(id, new_session_id());
}

}  // namespace
}  // namespace millrace::control::grpc
