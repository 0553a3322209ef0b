#include "mrctl/api.hpp"

#include <google/protobuf/util/json_util.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <expected>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "base/parse.hpp"
#include "control/grpc/rtpproxy.grpc.pb.h"
#include "mrctl/api_text.hpp"

namespace millrace::mrctl {
namespace {

using rtpproxy::RtpProxy;

constexpr std::chrono::seconds kAnswerWithin{10};
constexpr std::chrono::seconds kTryAgainAfter{1};
constexpr std::uint32_t kPage = 500;
constexpr int kAskAfterMs = 30'000;
constexpr int kReconnectWithinMs = 2'000;

std::expected<std::string, std::string> read_file(const std::string& path) {
  if (path.empty()) return std::string{};
  std::ifstream file{path};
  if (!file) return std::unexpected{"cannot read " + path};
  return std::string{std::istreambuf_iterator<char>{file}, {}};
}

std::expected<std::shared_ptr<grpc::ChannelCredentials>, std::string> credentials(const ApiOptions& options) {
  if (!options.tls && options.ca_file.empty() && options.certificate_file.empty()) {
    return grpc::InsecureChannelCredentials();
  }
  const auto ca = read_file(options.ca_file), certificate = read_file(options.certificate_file),
             key = read_file(options.key_file);
  for (const auto* file : {&ca, &certificate, &key}) {
    if (!*file) return std::unexpected{file->error()};
  }
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = *ca;
  ssl.pem_cert_chain = *certificate;
  ssl.pem_private_key = *key;
  return grpc::SslCredentials(ssl);
}

std::expected<std::unique_ptr<RtpProxy::Stub>, std::string> connect(const ApiOptions& options) {
  auto how = credentials(options);
  if (!how) return std::unexpected{how.error()};
  grpc::ChannelArguments arguments;  // a stream is silent for hours: a node that vanished must be noticed
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kAskAfterMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectWithinMs);
  return RtpProxy::NewStub(grpc::CreateCustomChannel(options.server, *how, arguments));
}

void introduce(grpc::ClientContext& context, const ApiOptions& options) {
  if (!options.token.empty()) context.AddMetadata("authorization", "Bearer " + options.token);
}

int failed(const std::string& why) {
  fmt::print(stderr, "mrctl: {}\n", why);
  return EXIT_FAILURE;
}

std::string sentence(const grpc::Status& status, const ApiOptions& options) {
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    return fmt::format("{} does not answer: {}", options.server, status.error_message());
  }
  return status.error_message();
}

std::string json_of(const google::protobuf::Message& message) {
  std::string text;
  google::protobuf::util::JsonPrintOptions how;
  how.always_print_primitive_fields = true;
  how.preserve_proto_field_names = true;
  if (!google::protobuf::util::MessageToJsonString(message, &text, how).ok()) return "{}";
  return text + '\n';
}

// One question: the answer, or why there is none.
template <class Request, class Response>
std::expected<Response, std::string> ask(const ApiOptions& options, const Request& request,
                                         grpc::Status (RtpProxy::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                                Response*)) {
  const auto stub = connect(options);
  if (!stub) return std::unexpected{stub.error()};
  grpc::ClientContext context;
  introduce(context, options);
  context.set_deadline(std::chrono::system_clock::now() + kAnswerWithin);
  Response response;
  const auto status = (stub->get()->*method)(&context, request, &response);
  if (!status.ok()) return std::unexpected{sentence(status, options)};
  return response;
}

template <class Response, class Show>
int show(const std::expected<Response, std::string>& response, const ApiOptions& options, Show text) {
  if (!response) return failed(response.error());
  fmt::print("{}", options.as_json ? json_of(*response) : text(*response));
  return EXIT_SUCCESS;
}

std::int64_t now() { return std::time(nullptr); }

// What the next try of a broken stream is to ask for; nothing: there is no use in another.
std::optional<std::string> reason_to_try_again(const grpc::Status& status,
                                               rtpproxy::StreamSessionEventsRequest& request) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE: return "the node is gone";
    case grpc::StatusCode::RESOURCE_EXHAUSTED: return status.error_message();
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::OUT_OF_RANGE:
      if (!request.has_resume_after()) return std::nullopt;
      request.clear_resume_after();
      request.clear_instance_id();
      return status.error_message() + "; events are missing here";
    default: return std::nullopt;
  }
}

// Where a stream began, so that a break before its first event loses none. Nothing: it did not begin.
bool note_begin(const grpc::ClientContext& context, rtpproxy::StreamSessionEventsRequest& request) {
  const auto& said = context.GetServerInitialMetadata();
  const auto instance = said.find("millrace-instance-id"), sequence = said.find("millrace-sequence");
  if (instance == said.end() || sequence == said.end()) return false;
  const auto last = parse_number<std::uint64_t>({sequence->second.data(), sequence->second.size()});
  if (!last) return false;
  if (!request.has_resume_after()) {
    request.set_resume_after(*last);
    request.set_instance_id(std::string{instance->second.data(), instance->second.size()});
  }
  return true;
}

}  // namespace

int api_status(const ApiOptions& options) {
  const auto answer = ask(options, rtpproxy::GetServerInfoRequest{}, &RtpProxy::Stub::GetServerInfo);
  return show(answer, options, [](const auto& info) { return text_of(info); });
}

int api_calls(const ApiOptions& options, const std::string& contains, std::size_t limit) {
  rtpproxy::ListSessionsResponse all;
  rtpproxy::ListSessionsRequest request;
  request.set_include_calls(true);
  request.set_page_size(kPage);
  do {
    auto page = ask(options, request, &RtpProxy::Stub::ListSessions);
    if (!page) return failed(page.error());
    for (auto& session : *page->mutable_sessions()) {
      if (session.session_id().find(contains) == std::string::npos) continue;
      if (static_cast<std::size_t>(all.sessions_size()) < limit) *all.add_sessions() = std::move(session);
    }
    all.set_total_count(page->total_count());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty() && static_cast<std::size_t>(all.sessions_size()) < limit);
  return show(std::expected<rtpproxy::ListSessionsResponse, std::string>{std::move(all)}, options,
              [](const auto& list) {
                std::string text = heading_of_lines();
                for (const auto& session : list.sessions()) text += line_of(session, now());
                return text + fmt::format("{} of {}\n", list.sessions_size(), list.total_count());
              });
}

int api_call(const ApiOptions& options, const std::string& id) {
  rtpproxy::GetSessionStatusRequest request;
  request.set_session_id(id);
  const auto answer = ask(options, request, &RtpProxy::Stub::GetSessionStatus);
  return show(answer, options, [](const auto& status) { return text_of(status.session(), now()); });
}

int api_drain(const ApiOptions& options) {
  const auto answer = ask(options, rtpproxy::DrainServerRequest{}, &RtpProxy::Stub::DrainServer);
  return show(answer, options, [](const auto& drained) {
    return fmt::format("no new calls from now on; {} connections go on, the daemon ends with the last\n",
                       drained.connections());
  });
}

int api_watch(const ApiOptions& options, const WatchOptions& watch) {
  const auto stub = connect(options);
  if (!stub) return failed(stub.error());
  rtpproxy::StreamSessionEventsRequest request;
  request.mutable_session_ids()->Assign(watch.sessions.begin(), watch.sessions.end());
  request.set_include_calls(watch.calls);
  std::uint64_t seen = 0;
  bool was_connected = false;
  for (;;) {
    grpc::ClientContext context;
    introduce(context, options);
    const auto reader = stub->get()->StreamSessionEvents(&context, request);
    reader->WaitForInitialMetadata();
    was_connected = note_begin(context, request) || was_connected;
    rtpproxy::SessionEvent event;
    while (reader->Read(&event)) {
      request.set_resume_after(event.sequence());
      request.set_instance_id(event.instance_id());
      if (event.event_type() == rtpproxy::SESSION_STATS_UPDATE && !watch.statistics) continue;
      fmt::print("{}", options.as_json ? json_of(event) : line_of(event));
      std::fflush(stdout);
      if (watch.count != 0 && ++seen == watch.count) {
        context.TryCancel();
        return EXIT_SUCCESS;
      }
    }
    const auto status = reader->Finish();
    const auto why = reason_to_try_again(status, request);
    if (!why || (!was_connected && status.error_code() == grpc::StatusCode::UNAVAILABLE)) {
      return failed(sentence(status, options));
    }
    fmt::print(stderr, "mrctl: {}; trying again\n", *why);
    std::this_thread::sleep_for(kTryAgainAfter);
  }
}

}  // namespace millrace::mrctl
