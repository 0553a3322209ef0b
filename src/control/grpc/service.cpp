#include "control/grpc/service.hpp"

#include "control/grpc/batch_methods.hpp"
#include "control/grpc/list_method.hpp"
#include "control/grpc/node_methods.hpp"
#include "control/grpc/session_methods.hpp"

namespace millrace::control::grpc {

namespace {

// It deletes itself when gRPC is done with it.
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
