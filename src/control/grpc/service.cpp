#include "control/grpc/service.hpp"

#include <google/protobuf/arena.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "control/grpc/batch_methods.hpp"
#include "control/grpc/call.hpp"
#include "control/grpc/list_method.hpp"
#include "control/grpc/node_methods.hpp"
#include "control/grpc/parse.hpp"
#include "control/grpc/session_methods.hpp"

namespace millrace::control::grpc {

namespace {

// A call of one method, as gRPC wants it: it deletes itself when gRPC is done with it.
template <class Method>
class Unary final : public ::grpc::ServerUnaryReactor, private Call {
 public:
  Unary(Office& office, const ::grpc::CallbackServerContext& context, ::grpc::ByteBuffer& response)
      : Call{office, context, Method::kFacts}, response_{response} {}

  using Call::start;
  void OnCancel() override { cancel(); }
  void OnDone() override { delete this; }

 private:
  ~Unary() override = default;

  std::expected<void, Problem> read(const ::grpc::ByteBuffer& bytes, const Caller& caller) override {
    typename Method::Request request;
    if (auto parsed = parse(bytes, request); !parsed) return parsed;
    return action_.read(request, caller, office().parts.access);
  }
  [[nodiscard]] std::string session_of(const ::grpc::ByteBuffer& bytes) const override {
    typename Method::Request request;
    if constexpr (requires { request.session_id(); }) {
      if (parse(bytes, request)) return request.session_id();
    }
    return {};
  }
  std::expected<Progress, Problem> run(Desk& desk) override { return action_.run(desk); }
  void finish(const Problem* problem) override {
    if (problem != nullptr) return Finish({static_cast<::grpc::StatusCode>(problem->code), problem->text});
    // A page of sessions is thousands of small messages: freed at once.
    ::google::protobuf::Arena arena;
    auto& response = *::google::protobuf::Arena::CreateMessage<typename Method::Response>(&arena);
    action_.write(response);
    bool own_buffer = false;
    (void)::grpc::SerializationTraits<typename Method::Response>::Serialize(response, &response_, &own_buffer);
    Finish(::grpc::Status::OK);
  }
  void note_outcome(const Problem* problem) override {
    // What a batch did is done, also when the rest of it came too late.
    if constexpr (requires { action_.note([](const Noted&) {}); }) {
      action_.note([this](const Noted& noted) { note_line(noted); });
      if (problem == nullptr) return;
    }
    note_line({.session = action_.session(),
               .result = problem == nullptr ? Code::ok : problem->code,
               .reason = problem == nullptr ? std::string_view{} : std::string_view{problem->text}});
  }

  ::grpc::ByteBuffer& response_;
  Method action_;
};

template <class Method>
::grpc::ServerUnaryReactor* begin(Office& office, const ::grpc::CallbackServerContext* context,
                                  const ::grpc::ByteBuffer* request, ::grpc::ByteBuffer* response) {
  auto* call = new Unary<Method>{office, *context, *response};
  call->start(*request);
  return call;
}

}  // namespace

Service::Unary* Service::CreateSession(Context* context, const Bytes* request, Bytes* response) {
  return begin<grpc::CreateSession>(office_, context, request, response);
}
Service::Unary* Service::DestroySession(Context* context, const Bytes* request, Bytes* response) {
  return begin<grpc::DestroySession>(office_, context, request, response);
}
Service::Unary* Service::GetSessionStatus(Context* context, const Bytes* request, Bytes* response) {
  return begin<grpc::GetSessionStatus>(office_, context, request, response);
}
Service::Unary* Service::ListSessions(Context* context, const Bytes* request, Bytes* response) {
  return begin<grpc::ListSessions>(office_, context, request, response);
}
Service::Unary* Service::UpdateSession(Context* context, const Bytes* request, Bytes* response) {
  return begin<grpc::UpdateSession>(office_, context, request, response);
}
Service::Unary* Service::CreateSessions(Context* context, const Bytes* request, Bytes* response) {
  return begin<grpc::CreateSessions>(office_, context, request, response);
}
Service::Unary* Service::DestroySessions(Context* context, const Bytes* request, Bytes* response) {
  return begin<grpc::DestroySessions>(office_, context, request, response);
}
Service::Unary* Service::GetServerInfo(Context* context, const Bytes* request, Bytes* response) {
  return begin<grpc::GetServerInfo>(office_, context, request, response);
}
Service::Unary* Service::ListInterfaces(Context* context, const Bytes* request, Bytes* response) {
  return begin<grpc::ListInterfaces>(office_, context, request, response);
}
Service::Unary* Service::DrainServer(Context* context, const Bytes* request, Bytes* response) {
  return begin<grpc::DrainServer>(office_, context, request, response);
}
::grpc::ServerWriteReactor<::grpc::ByteBuffer>* Service::StreamSessionEvents(Context* context, const Bytes* request) {
  return streams_.open(*context, *request);
}

}  // namespace millrace::control::grpc
