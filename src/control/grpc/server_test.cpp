// The server as a client sees it: every call and every status.

#include "control/grpc/server.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "control/grpc/list_method.hpp"
#include "control/grpc/testing.hpp"
#include "control/grpc/translate.hpp"

namespace millrace::control::grpc {
namespace {

using namespace std::chrono_literals;
using ::grpc::StatusCode;
using testing::a_session;
using testing::context;
using testing::Options;
using testing::Running;

// "NOT_FOUND: no session …" as the client has it.
template <class Request, class Response>
::grpc::Status call(pb::RtpProxy::Stub& stub,
                    ::grpc::Status (pb::RtpProxy::Stub::*method)(::grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response& response, std::string_view token = {}) {
  return (stub.*method)(context(token).get(), request, &response);
}

::grpc::Status create(pb::RtpProxy::Stub& stub, const pb::CreateSessionRequest& request,
                      pb::CreateSessionResponse& response) {
  return call(stub, &pb::RtpProxy::Stub::CreateSession, request, response);
}
::grpc::Status create(pb::RtpProxy::Stub& stub, const pb::CreateSessionRequest& request) {
  pb::CreateSessionResponse response;
  return create(stub, request, response);
}
::grpc::Status destroy(pb::RtpProxy::Stub& stub, const std::string& id, pb::DestroySessionResponse& response) {
  pb::DestroySessionRequest request;
  request.set_session_id(id);
  return call(stub, &pb::RtpProxy::Stub::DestroySession, request, response);
}
::grpc::Status get(pb::RtpProxy::Stub& stub, const std::string& id, pb::SessionInfo& info) {
  pb::GetSessionStatusRequest request;
  request.set_session_id(id);
  pb::GetSessionStatusResponse response;
  const auto status = call(stub, &pb::RtpProxy::Stub::GetSessionStatus, request, response);
  info = response.session();
  return status;
}
pb::ListSessionsResponse list(pb::RtpProxy::Stub& stub, const pb::ListSessionsRequest& request) {
  pb::ListSessionsResponse response;
  const auto status = call(stub, &pb::RtpProxy::Stub::ListSessions, request, response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

TEST(GrpcServer, a_session_is_made_shown_and_ended) {
  Running running;
  ASSERT_EQ(running.failure, "");
  const auto stub = running.stub();
  pb::CreateSessionResponse created;
  ASSERT_TRUE(create(*stub, a_session("a1"), created).ok());
  EXPECT_EQ(created.session_id(), "a1");
  EXPECT_GE(created.listen_endpoint().port(), 10000U);
  EXPECT_NE(created.listen_endpoint().port(), created.forward_endpoint().port());
  EXPECT_TRUE(created.rtcp());
  EXPECT_EQ(created.note(), "");

  pb::SessionInfo info;
  ASSERT_TRUE(get(*stub, "a1", info).ok());
  EXPECT_EQ(info.state(), pb::CONNECTING);
  EXPECT_EQ(info.listen_endpoint().port(), created.listen_endpoint().port());
  EXPECT_EQ(info.owner(), "anonymous");
  EXPECT_EQ(info.timeout_seconds(), 0U);

  pb::DestroySessionResponse destroyed;
  ASSERT_TRUE(destroy(*stub, "a1", destroyed).ok());
  EXPECT_TRUE(destroyed.success());
  EXPECT_TRUE(destroyed.has_final_stats());
  EXPECT_EQ(get(*stub, "a1", info).error_code(), StatusCode::NOT_FOUND);
  const auto again = destroy(*stub, "a1", destroyed);
  EXPECT_EQ(again.error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(again.error_message(), "no session \"a1\"");
  running.stop();
  EXPECT_EQ(running.world.counters.in_use(), 0U);
}

TEST(GrpcServer, a_session_without_an_id_gets_one) {
  Running running;
  const auto stub = running.stub();
  pb::CreateSessionResponse created;
  ASSERT_TRUE(create(*stub, a_session(), created).ok());
  EXPECT_EQ(created.session_id().size(), 36U);
}

TEST(GrpcServer, what_cannot_be_had_is_named) {
  Options options;
  options.session.max_connections_per_owner = 2;
  Running running{options};
  const auto stub = running.stub();
  ASSERT_TRUE(create(*stub, a_session("a1", 5000)).ok());
  EXPECT_EQ(create(*stub, a_session("a1", 5100)).error_code(), StatusCode::ALREADY_EXISTS);

  auto taken = create(*stub, a_session("a2", 5000));
  EXPECT_EQ(taken.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(taken.error_message().substr(0, 31), "listen_endpoint 127.0.0.1:5000:") << taken.error_message();
  auto elsewhere = a_session("a2");
  elsewhere.mutable_forward_endpoint()->set_address("192.0.2.77");
  elsewhere.mutable_destination_endpoint()->set_address("198.51.100.9");
  taken = create(*stub, elsewhere);
  EXPECT_EQ(taken.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(taken.error_message().substr(0, 30), "forward_endpoint 192.0.2.77:0:") << taken.error_message();

  ASSERT_TRUE(create(*stub, a_session("a2")).ok());
  EXPECT_EQ(create(*stub, a_session("a3")).error_code(), StatusCode::RESOURCE_EXHAUSTED);
  auto wrong = a_session("a3");
  wrong.mutable_listen_endpoint()->set_address("example.net");
  EXPECT_EQ(create(*stub, wrong).error_code(), StatusCode::INVALID_ARGUMENT);
  wrong = a_session("a3");
  wrong.mutable_destination_endpoint()->set_address("169.254.169.254");
  EXPECT_EQ(create(*stub, wrong).error_code(), StatusCode::PERMISSION_DENIED);
  running.on_control([](session::Calls& calls, Now) { EXPECT_EQ(calls.totals().active_connections, 2U); });
}

TEST(GrpcServer, a_repeated_request_gets_the_first_result) {
  Running running;
  const auto stub = running.stub();
  auto request = a_session();
  request.set_request_id("r1");
  pb::CreateSessionResponse first, second;
  ASSERT_TRUE(create(*stub, request, first).ok());
  ASSERT_TRUE(create(*stub, request, second).ok());
  EXPECT_EQ(first.SerializeAsString(), second.SerializeAsString());
  request.set_timeout_seconds(9);
  const auto other = create(*stub, request);
  EXPECT_EQ(other.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(other.error_message(), "request_id: \"r1\" was used for another request");
  running.on_control([](session::Calls& calls, Now) { EXPECT_EQ(calls.totals().created, 1U); });
}

TEST(GrpcServer, an_update_changes_a_session_and_no_call) {
  Running running;
  const auto stub = running.stub();
  ASSERT_TRUE(create(*stub, a_session("a1")).ok());
  pb::UpdateSessionRequest request;
  request.set_session_id("a1");
  request.mutable_destination_endpoint()->set_address("127.0.0.10");
  request.mutable_destination_endpoint()->set_port(9100);
  request.set_timeout_seconds(30);
  pb::UpdateSessionResponse response;
  ASSERT_TRUE(call(*stub, &pb::RtpProxy::Stub::UpdateSession, request, response).ok());
  EXPECT_EQ(response.session().destination_endpoint().port(), 9100U);
  EXPECT_EQ(response.session().timeout_seconds(), 30U);
  request.mutable_destination_endpoint()->set_address("224.0.0.1");
  EXPECT_EQ(call(*stub, &pb::RtpProxy::Stub::UpdateSession, request, response).error_code(),
            StatusCode::PERMISSION_DENIED);
  request.mutable_destination_endpoint()->set_address("2001:db8::1");
  EXPECT_EQ(call(*stub, &pb::RtpProxy::Stub::UpdateSession, request, response).error_code(),
            StatusCode::INVALID_ARGUMENT);
  request.set_session_id("a2");
  EXPECT_EQ(call(*stub, &pb::RtpProxy::Stub::UpdateSession, request, response).error_code(), StatusCode::NOT_FOUND);
}

// A call of the text protocol with two connections.
void make_call(Running& running) {
  running.on_control([](session::Calls& calls, Now now) {
    using session::testing::World;
    for (const char* tag : {"tag;1", "tag;2"}) {
      (void)calls.execute(session::Offer{.parties = World::parties("call/1@x", tag, ""), .party = {}}, now);
    }
  });
}

TEST(GrpcServer, calls_of_the_text_protocol_are_there_when_asked_for) {
  Running running;
  const auto stub = running.stub();
  make_call(running);
  ASSERT_TRUE(create(*stub, a_session("a1")).ok());
  pb::ListSessionsRequest request;
  EXPECT_EQ(list(*stub, request).total_count(), 1U);
  request.set_include_calls(true);
  const auto all = list(*stub, request);
  ASSERT_EQ(all.sessions_size(), 3);
  EXPECT_EQ(all.sessions(0).session_id(), "call/1@x/tag;1");
  EXPECT_TRUE(all.sessions(0).call());
  EXPECT_EQ(all.sessions(2).session_id(), "a1");
  pb::SessionInfo info;
  EXPECT_TRUE(get(*stub, "call/1@x/tag;2", info).ok());
  pb::DestroySessionResponse destroyed;
  EXPECT_TRUE(destroy(*stub, "call/1@x/tag;1", destroyed).ok());
  EXPECT_EQ(list(*stub, request).total_count(), 2U);
}

TEST(GrpcServer, lists_are_filtered_and_paged) {
  Options options;
  Running running{options};
  const auto stub = running.stub();
  constexpr int kSessions = 700;  // more than one job's
  pb::CreateSessionsRequest batch;
  for (int i = 0; i < kSessions; ++i) {
    auto& session = *batch.add_sessions();
    session = a_session("s" + std::to_string(i));
    (*session.mutable_labels())["parity"] = i % 2 == 0 ? "even" : "odd";
  }
  pb::CreateSessionsResponse created;
  ASSERT_TRUE(call(*stub, &pb::RtpProxy::Stub::CreateSessions, batch, created).ok());
  ASSERT_EQ(created.results_size(), kSessions);
  for (const auto& result : created.results()) ASSERT_EQ(result.status().code(), 0) << result.status().message();

  for (const bool filtered : {false, true}) {
    pb::ListSessionsRequest request;
    request.set_page_size(90);
    if (filtered) (*request.mutable_labels())["parity"] = "odd";
    std::set<std::string> seen;
    int pages = 0;
    do {
      const auto page = list(*stub, request);
      EXPECT_EQ(page.total_count(), filtered ? 350U : 700U);
      EXPECT_LE(page.sessions_size(), 90);
      for (const auto& session : page.sessions()) EXPECT_TRUE(seen.insert(session.session_id()).second);
      request.set_page_token(page.next_page_token());
      ++pages;
    } while (!request.page_token().empty());
    EXPECT_EQ(seen.size(), filtered ? 350U : 700U);
    EXPECT_EQ(pages, filtered ? 4 : 8);
  }
  pb::ListSessionsRequest active;
  active.set_state_filter(pb::ACTIVE);
  EXPECT_EQ(list(*stub, active).total_count(), 0U);
  active.set_page_token("nonsense");
  pb::ListSessionsResponse none;
  EXPECT_EQ(call(*stub, &pb::RtpProxy::Stub::ListSessions, active, none).error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST(GrpcServer, no_page_passes_what_clients_take) {
  Running running;
  const auto stub = running.stub();
  constexpr int kSessions = 500;
  for (int half = 0; half < 2; ++half) {
    pb::CreateSessionsRequest batch;
    for (int i = 0; i < kSessions / 2; ++i) {
      auto& session = *batch.add_sessions();
      session = a_session();
      for (std::size_t label = 0; label < kMaxLabels; ++label) {
        (*session.mutable_labels())[std::to_string(label)] = std::string(kMaxLabelValue, 'v');
      }
    }
    pb::CreateSessionsResponse created;
    ASSERT_TRUE(call(*stub, &pb::RtpProxy::Stub::CreateSessions, batch, created).ok());
  }
  pb::ListSessionsRequest request;
  int sessions = 0, pages = 0;
  do {
    const auto page = list(*stub, request);
    EXPECT_LE(page.ByteSizeLong(), kMaxPageBytes + 1024);
    sessions += page.sessions_size();
    request.set_page_token(page.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(sessions, kSessions);
  EXPECT_GT(pages, 1);
}

TEST(GrpcServer, each_item_of_a_batch_succeeds_or_fails_by_itself) {
  Running running;
  const auto stub = running.stub();
  pb::CreateSessionsRequest batch;
  *batch.add_sessions() = a_session("a1");
  *batch.add_sessions() = a_session("a1");
  batch.add_sessions();
  *batch.add_sessions() = a_session("a2");
  pb::CreateSessionsResponse created;
  ASSERT_TRUE(call(*stub, &pb::RtpProxy::Stub::CreateSessions, batch, created).ok());
  ASSERT_EQ(created.results_size(), 4);
  EXPECT_EQ(created.results(0).session().session_id(), "a1");
  EXPECT_EQ(created.results(1).status().code(), StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(created.results(2).status().code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(created.results(3).status().code(), 0);

  pb::DestroySessionsRequest ends;
  for (const char* id : {"a2", "", "a2", "a1"}) ends.add_session_ids(id);
  pb::DestroySessionsResponse ended;
  ASSERT_TRUE(call(*stub, &pb::RtpProxy::Stub::DestroySessions, ends, ended).ok());
  const std::array codes{0, static_cast<int>(StatusCode::INVALID_ARGUMENT), static_cast<int>(StatusCode::NOT_FOUND), 0};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ended.results(i).status().code(), codes.at(static_cast<std::size_t>(i))) << i;
  EXPECT_TRUE(ended.results(0).session().success());

  for (int i = 0; i < 1001; ++i) ends.add_session_ids("x");
  const auto refused = call(*stub, &pb::RtpProxy::Stub::DestroySessions, ends, ended);
  EXPECT_EQ(refused.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(refused.error_message(), "session_ids: 1005 items, at most 1000 are allowed");
  EXPECT_NE(running.audited().find(R"("command":"CreateSessions","session":"a2","result":"OK")"), std::string::npos)
      << running.audited();
}

TEST(GrpcServer, tells_of_the_node_and_drains_it) {
  Running running;
  const auto stub = running.stub();
  ASSERT_TRUE(create(*stub, a_session("a1")).ok());
  pb::GetServerInfoResponse info;
  ASSERT_TRUE(call(*stub, &pb::RtpProxy::Stub::GetServerInfo, {}, info).ok());
  EXPECT_EQ(info.program(), "millrace");
  EXPECT_EQ(info.instance_id(), running.hub->instance());
  EXPECT_EQ(info.sessions(), 1U);
  EXPECT_EQ(info.connections(), 1U);
  EXPECT_EQ(info.max_connections(), 77U);
  EXPECT_GE(info.uptime_seconds(), 89U);
  ASSERT_EQ(info.engines_size(), 2);
  EXPECT_TRUE(info.engines(0).on());
  EXPECT_FALSE(info.engines(1).on());
  EXPECT_NE(info.engines(1).why_off(), "");
  pb::ListInterfacesResponse interfaces;
  ASSERT_TRUE(call(*stub, &pb::RtpProxy::Stub::ListInterfaces, {}, interfaces).ok());
  ASSERT_EQ(interfaces.interfaces_size(), 1);
  EXPECT_EQ(interfaces.interfaces(0).addresses(0), "127.0.0.1");
  EXPECT_GT(interfaces.host_addresses_size(), 0);
  pb::DrainServerResponse drained;
  ASSERT_TRUE(call(*stub, &pb::RtpProxy::Stub::DrainServer, {}, drained).ok());
  EXPECT_EQ(drained.connections(), 1U);
  EXPECT_EQ(create(*stub, a_session("a2")).error_code(), StatusCode::UNAVAILABLE);
}

// Answered without control, on the same connection: the server has read what came before, also that a call was given up.
void be_heard(pb::RtpProxy::Stub& stub) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(create(stub, {}).error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST(GrpcServer, nothing_is_made_after_its_deadline) {
  Running running;
  const auto stub = running.stub();
  running.halt();
  auto hurried = std::make_unique<::grpc::ClientContext>();
  hurried->set_deadline(std::chrono::system_clock::now() + 50ms);
  pb::CreateSessionResponse response;
  EXPECT_EQ(stub->CreateSession(hurried.get(), a_session("a1"), &response).error_code(), StatusCode::DEADLINE_EXCEEDED);
  be_heard(*stub);
  running.go_on();
  running.on_control([](session::Calls& calls, Now) { EXPECT_EQ(calls.totals().created, 0U); });
}

TEST(GrpcServer, nothing_is_made_for_a_client_that_has_gone) {
  Running running;
  const auto stub = running.stub();
  running.halt();
  auto leaving = context();
  std::promise<::grpc::Status> status;
  pb::CreateSessionResponse response;
  const auto request = a_session("a1");
  stub->async()->CreateSession(leaving.get(), &request, &response,
                               [&status](::grpc::Status how) { status.set_value(std::move(how)); });
  running.wait_for_job();
  leaving->TryCancel();
  EXPECT_EQ(status.get_future().get().error_code(), StatusCode::CANCELLED);
  be_heard(*stub);
  running.go_on();
  running.on_control([](session::Calls& calls, Now) { EXPECT_EQ(calls.totals().created, 0U); });
}

TEST(GrpcServer, commands_that_wait_at_the_end_are_answered) {
  Running running;
  const auto stub = running.stub();
  running.halt();
  std::promise<::grpc::Status> status;
  const auto waiting = context();
  pb::CreateSessionResponse response;
  const auto request = a_session("a1");
  stub->async()->CreateSession(waiting.get(), &request, &response,
                               [&status](::grpc::Status how) { status.set_value(std::move(how)); });
  running.wait_for_job();
  running.stop();
  const auto how = status.get_future().get();
  EXPECT_EQ(how.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(how.error_message(), "the server is ending");
}

TEST(GrpcServer, a_full_inbox_is_an_answer) {
  Running running;
  const auto stub = running.stub();
  running.halt();
  while (running.inbox->post([](session::Calls&, Now) {})) {}
  const auto refused = create(*stub, a_session("a1"));
  EXPECT_EQ(refused.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  running.go_on();
}

TEST(GrpcServer, every_change_and_what_became_of_it_is_in_the_audit_log) {
  Running running;
  const auto stub = running.stub();
  ASSERT_TRUE(create(*stub, a_session("a1")).ok());
  EXPECT_FALSE(create(*stub, a_session("a1")).ok());
  pb::SessionInfo info;
  (void)get(*stub, "a1", info);
  const auto lines = running.audited();
  EXPECT_EQ(std::ranges::count(lines, '\n'), 2) << lines;
  EXPECT_NE(lines.find(R"("command":"CreateSession","session":"a1","result":"OK")"), std::string::npos) << lines;
  EXPECT_NE(lines.find(R"("result":"ALREADY_EXISTS")"), std::string::npos) << lines;
  EXPECT_NE(lines.find(R"("peer":"127.0.0.1:)"), std::string::npos) << lines;
}

}  // namespace
}  // namespace millrace::control::grpc
