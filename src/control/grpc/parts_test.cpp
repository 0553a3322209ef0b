// The small parts of the server: who calls, what is remembered, what reflection tells, bytes of events.

#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "control/grpc/caller.hpp"
#include "control/grpc/create.hpp"
#include "control/grpc/event_bytes.hpp"
#include "control/grpc/event_filter.hpp"
#include "control/grpc/reflection_pool.hpp"
#include "control/grpc/request_memory.hpp"
#include "control/grpc/rtpproxy.pb.h"

namespace millrace::control::grpc {
namespace {

TEST(GrpcCaller, peers_are_shown_as_addresses_are_written_elsewhere) {
  EXPECT_EQ(readable_peer("ipv4:192.0.2.7:50312"), "192.0.2.7:50312");
  EXPECT_EQ(readable_peer("ipv6:%5B2001:db8::1%5D:50312"), "[2001:db8::1]:50312");
  EXPECT_EQ(readable_peer("ipv6:%5B::ffff:192.0.2.7%5D:1"), "192.0.2.7:1");
  EXPECT_EQ(readable_peer("unix:/run/x"), "unix:/run/x");
  EXPECT_EQ(readable_peer("ipv6:%5"), "%5");
}

TEST(GrpcCaller, an_address_is_without_its_scope) {
  EXPECT_EQ(address_of("192.0.2.7:50312"), net::Address::parse("192.0.2.7"));
  EXPECT_EQ(address_of("[2001:db8::1]:50312"), net::Address::parse("2001:db8::1"));
  EXPECT_EQ(address_of(readable_peer("ipv6:%5Bfe80::1%25eth0%5D:50312")), net::Address::parse("fe80::1"));
  for (const auto* none : {"", "unix:/run/x", "%", "[fe80::1%eth0", "%eth0]:1"}) EXPECT_FALSE(address_of(none)) << none;
}

TEST(GrpcCaller, tokens_come_behind_the_word_bearer) {
  EXPECT_EQ(token_of("Bearer abc"), "abc");
  EXPECT_EQ(token_of("bearer   abc"), "abc");
  EXPECT_EQ(token_of("Bearer "), "");
  EXPECT_EQ(token_of("Bearer    "), "");
  EXPECT_EQ(token_of("Basic abc"), "");
  EXPECT_EQ(token_of(""), "");
}

RequestMemory::Remembered result(const std::string& session) {
  return {.fingerprint = {}, .result = {.session_id = session}};
}

TEST(GrpcRequestMemory, forgets_what_was_not_asked_for_the_longest_time) {
  RequestMemory memory;
  for (std::size_t i = 0; i < kRememberedRequests; ++i) memory.remember("ops", std::to_string(i), result("s"));
  ASSERT_NE(memory.find("ops", "0"), nullptr);
  memory.remember("ops", "one more", result("s"));
  EXPECT_EQ(memory.size(), kRememberedRequests);
  EXPECT_NE(memory.find("ops", "0"), nullptr);
  EXPECT_EQ(memory.find("ops", "1"), nullptr);
}

TEST(GrpcRequestMemory, identities_do_not_see_each_others_requests) {
  RequestMemory memory;
  memory.remember("ops", "1", result("a"));
  EXPECT_EQ(memory.find("op", "s1"), nullptr);
  EXPECT_EQ(memory.find("dash", "1"), nullptr);
  memory.remember("ops", "1", result("b"));
  EXPECT_EQ(memory.size(), 1U);
  EXPECT_EQ(memory.find("ops", "1")->result.session_id, "b");
}

TEST(GrpcRequestMemory, a_fingerprint_knows_a_request_again) {
  ::rtpproxy::CreateSessionRequest one, other;
  for (int i = 0; i < 20; ++i) (*one.mutable_labels())[std::to_string(i)] = "x";
  for (int i = 19; i >= 0; --i) (*other.mutable_labels())[std::to_string(i)] = "x";
  EXPECT_EQ(fingerprint_of(one), fingerprint_of(other));
  other.set_timeout_seconds(1);
  EXPECT_NE(fingerprint_of(one), fingerprint_of(other));
}

std::string first_file(const std::expected<DescribedFiles, Problem>& files) {
  if (!files) return files.error().text;
  ::google::protobuf::FileDescriptorProto file;
  EXPECT_TRUE(file.ParseFromString(files->front()));
  return file.package();
}

TEST(GrpcReflection, tells_every_service_and_its_file) {
  auto services = reflected_services();
  std::ranges::sort(services);
  EXPECT_EQ(services, (std::vector<std::string>{"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                                "grpc.reflection.v1alpha.ServerReflection", "rtpproxy.RtpProxy"}));
  for (const auto& service : services) {
    EXPECT_EQ(first_file(file_containing(service)), service.substr(0, service.rfind('.')));
  }
  EXPECT_EQ(first_file(file_containing("rtpproxy.RtpProxy.CreateSession")), "rtpproxy");
  EXPECT_EQ(first_file(file_by_name("rtpproxy.proto")), "rtpproxy");
}

TEST(GrpcReflection, what_is_not_there_is_not_found) {
  EXPECT_EQ(first_file(file_containing("a.b")), "no symbol \"a.b\"");
  EXPECT_EQ(first_file(file_by_name("\n")), "no file \"\\n\"");
  EXPECT_EQ(file_with_extension("rtpproxy.SessionInfo", 100).error().code, Code::not_found);
  EXPECT_EQ(file_with_extension("x", 1).error().code, Code::not_found);
  EXPECT_EQ(extension_numbers("rtpproxy.SessionInfo"), std::vector<int>{});
  EXPECT_EQ(extension_numbers("x").error().code, Code::not_found);
}

events::Event event(std::uint64_t sequence, events::Kind kind = events::Kind::created) {
  auto view = std::make_shared<session::View>();
  view->session = true;
  view->call_id = "a1";
  view->labels = {{"tenant", "blue"}};
  return {.sequence = sequence, .kind = kind, .at = {}, .description = "created", .end = {}, .view = view};
}

::rtpproxy::SessionEvent parsed(const ::grpc::ByteBuffer& bytes) {
  ::grpc::Slice whole;
  EXPECT_TRUE(bytes.DumpToSingleSlice(&whole).ok());
  ::rtpproxy::SessionEvent event;
  EXPECT_TRUE(event.ParseFromArray(whole.begin(), static_cast<int>(whole.size())));
  return event;
}

TEST(GrpcEventBytes, what_is_a_streams_own_goes_behind_what_all_share) {
  EventBytes bytes{"instance-1"};
  const auto shared = parsed(bytes.of(event(7), 0));
  EXPECT_EQ(shared.sequence(), 7U);
  EXPECT_EQ(shared.instance_id(), "instance-1");
  EXPECT_EQ(shared.session().session_id(), "a1");
  EXPECT_EQ(shared.updates_dropped(), 0U);
  const auto own = parsed(bytes.of(event(7), 12));
  EXPECT_EQ(own.updates_dropped(), 12U);
  EXPECT_EQ(own.sequence(), 7U);
  EXPECT_EQ(parsed(bytes.of(event(7 + kSharedEvents), 0)).sequence(), 7U + kSharedEvents);
  EXPECT_EQ(parsed(bytes.of(event(7), 0)).sequence(), 7U);  // further behind than what is kept
}

TEST(GrpcEventFilter, takes_what_was_asked_for) {
  ::rtpproxy::StreamSessionEventsRequest request;
  EXPECT_TRUE(to_stream(request)->filter.wants(event(1)));
  EXPECT_TRUE(to_stream(request)->filter.statistics);
  request.add_session_ids("b1");
  EXPECT_FALSE(to_stream(request)->filter.wants(event(1)));
  request.add_session_ids("a1");
  EXPECT_TRUE(to_stream(request)->filter.wants(event(1)));
  request.add_types(::rtpproxy::SESSION_CLOSED);
  EXPECT_FALSE(to_stream(request)->filter.wants(event(1)));
  EXPECT_FALSE(to_stream(request)->filter.statistics);
  EXPECT_TRUE(to_stream(request)->filter.wants(event(1, events::Kind::closed)));
  (*request.mutable_labels())["tenant"] = "red";
  EXPECT_FALSE(to_stream(request)->filter.wants(event(1, events::Kind::closed)));
}

TEST(GrpcEventFilter, what_cannot_be_asked_for_is_refused_by_name) {
  ::rtpproxy::StreamSessionEventsRequest request;
  request.set_resume_after(0);
  EXPECT_EQ(to_stream(request).error().text.substr(0, 12), "instance_id:");
  request.set_instance_id("i");
  ASSERT_TRUE(to_stream(request)->resume.has_value());
  request.add_types(static_cast<::rtpproxy::SessionEventType>(42));
  EXPECT_EQ(to_stream(request).error().text, "types: 42 is not the type of an event");
  request.clear_types();
  for (int i = 0; i < 1001; ++i) request.add_session_ids("a");
  EXPECT_EQ(to_stream(request).error().text, "session_ids: 1001 of them, at most 1000 are allowed");
  request.clear_session_ids();
  request.add_session_ids("");
  EXPECT_EQ(to_stream(request).error().text, "session_ids: the id of a session is wanted");
}

}  // namespace
}  // namespace millrace::control::grpc
