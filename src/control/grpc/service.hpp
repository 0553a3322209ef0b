#pragma once
// The service as gRPC sees it: requests come as bytes, because what does not parse is answered in words.

#include "control/grpc/event_streams.hpp"
#include "control/grpc/office.hpp"
#include "control/grpc/rtpproxy.grpc.pb.h"

namespace millrace::control::grpc {

// Every method raw: generated code names each of them.
using RawRtpProxy = ::rtpproxy::RtpProxy::WithRawCallbackMethod_CreateSession<
    ::rtpproxy::RtpProxy::WithRawCallbackMethod_DestroySession<
        ::rtpproxy::RtpProxy::WithRawCallbackMethod_GetSessionStatus<
            ::rtpproxy::RtpProxy::WithRawCallbackMethod_ListSessions<
                ::rtpproxy::RtpProxy::WithRawCallbackMethod_StreamSessionEvents<
                    ::rtpproxy::RtpProxy::WithRawCallbackMethod_UpdateSession<
                        ::rtpproxy::RtpProxy::WithRawCallbackMethod_CreateSessions<
                            ::rtpproxy::RtpProxy::WithRawCallbackMethod_DestroySessions<
                                ::rtpproxy::RtpProxy::WithRawCallbackMethod_GetServerInfo<
                                    ::rtpproxy::RtpProxy::WithRawCallbackMethod_ListInterfaces<
                                        ::rtpproxy::RtpProxy::WithRawCallbackMethod_DrainServer<
                                            ::rtpproxy::RtpProxy::Service>>>>>>>>>>>;

class Service final : public RawRtpProxy {
 public:
  Service(Office& office, EventStreams& streams) : office_{office}, streams_{streams} {}

 private:
  using Context = ::grpc::CallbackServerContext;
  using Bytes = ::grpc::ByteBuffer;
  using Unary = ::grpc::ServerUnaryReactor;

  Unary* CreateSession(Context* context, const Bytes* request, Bytes* response) override;
  Unary* DestroySession(Context* context, const Bytes* request, Bytes* response) override;
  Unary* GetSessionStatus(Context* context, const Bytes* request, Bytes* response) override;
  Unary* ListSessions(Context* context, const Bytes* request, Bytes* response) override;
  Unary* UpdateSession(Context* context, const Bytes* request, Bytes* response) override;
  Unary* CreateSessions(Context* context, const Bytes* request, Bytes* response) override;
  Unary* DestroySessions(Context* context, const Bytes* request, Bytes* response) override;
  Unary* GetServerInfo(Context* context, const Bytes* request, Bytes* response) override;
  Unary* ListInterfaces(Context* context, const Bytes* request, Bytes* response) override;
  Unary* DrainServer(Context* context, const Bytes* request, Bytes* response) override;
  ::grpc::ServerWriteReactor<Bytes>* StreamSessionEvents(Context* context, const Bytes* request) override;

  Office& office_;
  EventStreams& streams_;
};

}  // namespace millrace::control::grpc
