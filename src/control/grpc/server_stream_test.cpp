// Event streams over the wire: order, filters, resume, slow readers, readers that die, the end.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "control/grpc/testing.hpp"
#include "events/hub.hpp"

namespace millrace::control::grpc {
namespace {

using namespace std::chrono_literals;
using ::grpc::StatusCode;
using testing::a_session;
using testing::context;
using testing::Options;
using testing::Running;
namespace pb = ::rtpproxy;

class Reading {
 public:
  explicit Reading(pb::RtpProxy::Stub& stub, const pb::StreamSessionEventsRequest& request = {})
      : context_{context()}, reader_{stub.StreamSessionEvents(context_.get(), request)} {
    reader_->WaitForInitialMetadata();
  }
  [[nodiscard]] pb::SessionEvent next() {
    pb::SessionEvent event;
    EXPECT_TRUE(reader_->Read(&event)) << "the stream has ended";
    return event;
  }
  [[nodiscard]] ::grpc::Status end() {
    pb::SessionEvent event;
    while (reader_->Read(&event)) ++read_at_end;
    return reader_->Finish();
  }
  [[nodiscard]] std::string metadata(const std::string& key) const {
    const auto& all = context_->GetServerInitialMetadata();
    const auto found = all.find(key);
    return found == all.end() ? "" : std::string{found->second.data(), found->second.size()};
  }
  void cancel() { context_->TryCancel(); }
  int read_at_end = 0;

 private:
  std::unique_ptr<::grpc::ClientContext> context_;
  std::unique_ptr<::grpc::ClientReader<pb::SessionEvent>> reader_;
};

void create(Running& running, const std::string& id, std::string_view label = "") {
  auto request = a_session(id);
  if (!label.empty()) (*request.mutable_labels())["tenant"] = std::string{label};
  pb::CreateSessionResponse response;
  ASSERT_TRUE(running.stub()->CreateSession(context().get(), request, &response).ok());
}
void destroy(Running& running, const std::string& id) {
  pb::DestroySessionRequest request;
  request.set_session_id(id);
  pb::DestroySessionResponse response;
  ASSERT_TRUE(running.stub()->DestroySession(context().get(), request, &response).ok());
}
std::string told(const pb::SessionEvent& event) {
  return pb::SessionEventType_Name(event.event_type()) + " " + event.session().session_id();
}

TEST(GrpcEvents, what_happens_is_told_in_order) {
  Running running;
  const auto stub = running.stub();
  Reading reading{*stub};
  EXPECT_EQ(reading.metadata("millrace-instance-id"), running.hub->instance());
  EXPECT_EQ(reading.metadata("millrace-sequence"), "0");
  create(running, "a1");
  destroy(running, "a1");
  const auto created = reading.next(), closed = reading.next();
  EXPECT_EQ(told(created), "SESSION_CREATED a1");
  EXPECT_EQ(created.sequence(), 1U);
  EXPECT_EQ(created.instance_id(), running.hub->instance());
  EXPECT_EQ(created.session().state(), pb::CONNECTING);
  EXPECT_EQ(told(closed), "SESSION_CLOSED a1");
  EXPECT_EQ(closed.end_reason(), pb::DESTROYED);
  EXPECT_EQ(closed.session().state(), pb::CLOSED);
  EXPECT_GT(closed.timestamp_ms(), 1'700'000'000'000);
}

TEST(GrpcEvents, a_filter_leaves_the_others_out) {
  Running running;
  const auto stub = running.stub();
  pb::StreamSessionEventsRequest by_id, by_label, by_type;
  by_id.add_session_ids("a2");
  (*by_label.mutable_labels())["tenant"] = "red";
  by_type.add_types(pb::SESSION_CLOSED);
  Reading id{*stub, by_id}, label{*stub, by_label}, type{*stub, by_type};
  create(running, "a1", "blue");
  create(running, "a2", "blue");
  create(running, "a3", "red");
  destroy(running, "a1");
  EXPECT_EQ(told(id.next()), "SESSION_CREATED a2");
  EXPECT_EQ(told(label.next()), "SESSION_CREATED a3");
  EXPECT_EQ(told(type.next()), "SESSION_CLOSED a1");
}

TEST(GrpcEvents, a_reader_resumes_where_it_was) {
  Running running;
  const auto stub = running.stub();
  std::string instance;
  {
    Reading reading{*stub};
    instance = reading.metadata("millrace-instance-id");
    create(running, "a1");
    EXPECT_EQ(reading.next().sequence(), 1U);
    reading.cancel();
  }
  create(running, "a2");
  create(running, "a3");
  pb::StreamSessionEventsRequest request;
  request.set_resume_after(1);
  request.set_instance_id(instance);
  Reading again{*stub, request};
  EXPECT_EQ(told(again.next()), "SESSION_CREATED a2");
  EXPECT_EQ(told(again.next()), "SESSION_CREATED a3");
  create(running, "a4");
  EXPECT_EQ(told(again.next()), "SESSION_CREATED a4");
}

TEST(GrpcEvents, a_resume_that_cannot_be_served_is_refused) {
  Options options;
  options.events.history = 64;
  Running running{options};
  const auto stub = running.stub();
  for (int i = 0; i < 80; ++i) create(running, "a" + std::to_string(i));
  { Reading until_all_are_told{*stub}; }
  struct Case {
    std::string instance;
    std::uint64_t after;
    StatusCode code;
  };
  for (const auto& [instance, after, code] : {
           Case{"another", 1, StatusCode::FAILED_PRECONDITION},
           Case{running.hub->instance(), 1, StatusCode::OUT_OF_RANGE},
           Case{running.hub->instance(), 1'000'000, StatusCode::OUT_OF_RANGE},
           Case{"", 1, StatusCode::INVALID_ARGUMENT},
       }) {
    pb::StreamSessionEventsRequest request;
    request.set_resume_after(after);
    request.set_instance_id(instance);
    EXPECT_EQ(Reading(*stub, request).end().error_code(), code) << instance << " " << after;
  }
}

TEST(GrpcEvents, a_reader_that_takes_nothing_loses_its_stream) {
  Options options;
  options.events.queue = 16;
  Running running{options};
  const auto stub = running.stub();
  Reading slow{*stub};
  // Far more than what gRPC and the kernel hold on the way.
  const std::string long_label(200, 'x');
  for (int round = 0; running.hub->statistics().streams_overrun == 0 && round < 200; ++round) {
    pb::CreateSessionsRequest batch;
    for (int i = 0; i < 100; ++i) {
      auto& session = *batch.add_sessions();
      session = a_session("r" + std::to_string(round) + "-" + std::to_string(i));
      for (int label = 0; label < 30; ++label) (*session.mutable_labels())[std::to_string(label)] = long_label;
    }
    pb::DestroySessionsRequest ends;
    for (const auto& session : batch.sessions()) ends.add_session_ids(session.session_id());
    pb::CreateSessionsResponse created;
    pb::DestroySessionsResponse destroyed;
    ASSERT_TRUE(stub->CreateSessions(context().get(), batch, &created).ok());
    ASSERT_TRUE(stub->DestroySessions(context().get(), ends, &destroyed).ok());
  }
  const auto end = slow.end();
  EXPECT_EQ(end.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(end.error_message().substr(0, 23), "this reader is too slow");
  EXPECT_GT(slow.read_at_end, 0);
}

TEST(GrpcEvents, a_reader_that_dies_leaves_nothing) {
  Running running;
  const auto stub = running.stub();
  auto dying = std::make_unique<Reading>(*stub);
  EXPECT_EQ(running.hub->statistics().subscriptions, 1U);
  dying->cancel();
  (void)dying->end();
  for (int i = 0; running.hub->statistics().subscriptions != 0 && i < 10'000; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(running.hub->statistics().subscriptions, 0U);
}

TEST(GrpcEvents, at_the_end_everything_queued_is_told_first) {
  Running running;
  const auto stub = running.stub();
  Reading reading{*stub};
  create(running, "a1");
  running.on_control([](session::Calls& calls, Now now) { calls.end_all(session::EndReason::shutdown, now); });
  running.stop();
  EXPECT_EQ(told(reading.next()), "SESSION_CREATED a1");
  const auto closed = reading.next();
  EXPECT_EQ(told(closed), "SESSION_CLOSED a1");
  EXPECT_EQ(closed.end_reason(), pb::SHUTDOWN);
  EXPECT_EQ(reading.end().error_code(), StatusCode::UNAVAILABLE);
}

TEST(GrpcEvents, many_streams_hear_the_same) {
  Running running;
  const auto stub = running.stub();
  std::vector<std::unique_ptr<Reading>> readings;
  for (int i = 0; i < 200; ++i) readings.push_back(std::make_unique<Reading>(*stub));
  for (int i = 0; i < 5; ++i) create(running, "a" + std::to_string(i));
  for (const auto& reading : readings) {
    for (std::uint64_t i = 1; i <= 5; ++i) EXPECT_EQ(reading->next().sequence(), i);
  }
}

}  // namespace
}  // namespace millrace::control::grpc
