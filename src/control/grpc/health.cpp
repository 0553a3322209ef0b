#include "control/grpc/health.hpp"

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <utility>

#include "control/grpc/health.grpc.pb.h"
#include "control/grpc/rtpproxy.grpc.pb.h"

namespace millrace::control::grpc {

using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;

namespace {

bool is_known(const HealthCheckRequest& request) {
  return request.service().empty() || request.service() == ::rtpproxy::RtpProxy::service_full_name();
}

}  // namespace

// One stream: tells the state at once, and again when it has changed. Everything under Health::mutex_; gRPC calls back
// from threads of its own, never from within StartWrite() or Finish().
class HealthWatch final : public ::grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  HealthWatch(Health& health, bool known) : health_{health}, known_{known} {}

  // With the lock held.
  void start() {
    health_.watches_.insert(this);
    next();
  }
  void next() {
    if (finished_ || writing_) return;
    if (health_.closed_) return finish({::grpc::StatusCode::UNAVAILABLE, "the server is ending"});
    const auto status = !known_            ? HealthCheckResponse::SERVICE_UNKNOWN
                        : health_.serving_ ? HealthCheckResponse::SERVING
                                           : HealthCheckResponse::NOT_SERVING;
    if (told_ && response_.status() == status) return;
    told_ = true;
    response_.set_status(status);
    writing_ = true;
    StartWrite(&response_);
  }
  void finish(const ::grpc::Status& how) {
    if (std::exchange(finished_, true)) return;
    Finish(how);
  }

  void OnWriteDone(bool ok) override {
    const std::scoped_lock lock{health_.mutex_};
    writing_ = false;
    if (!ok || cancelled_) return finish(::grpc::Status::CANCELLED);
    next();
  }
  void OnCancel() override {
    const std::scoped_lock lock{health_.mutex_};
    cancelled_ = true;
    if (!writing_) finish(::grpc::Status::CANCELLED);
  }
  void OnDone() override {
    {
      const std::scoped_lock lock{health_.mutex_};
      health_.watches_.erase(this);
    }
    delete this;
  }

 private:
  Health& health_;
  const bool known_;
  HealthCheckResponse response_;
  bool told_ = false, writing_ = false, finished_ = false, cancelled_ = false;
};

// What ends at once.
class RefusedWatch final : public ::grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  explicit RefusedWatch(const ::grpc::Status& why) { Finish(why); }
  void OnDone() override { delete this; }
};

class HealthService final : public ::grpc::health::v1::Health::CallbackService {
 public:
  explicit HealthService(Health& health) : health_{health} {}

  ::grpc::ServerUnaryReactor* Check(::grpc::CallbackServerContext* context, const HealthCheckRequest* request,
                                    HealthCheckResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (!is_known(*request)) {
      reactor->Finish({::grpc::StatusCode::NOT_FOUND, "there is no such service here"});
      return reactor;
    }
    const std::scoped_lock lock{health_.mutex_};
    response->set_status(health_.serving_ ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING);
    reactor->Finish(::grpc::Status::OK);
    return reactor;
  }

  ::grpc::ServerWriteReactor<HealthCheckResponse>* Watch(::grpc::CallbackServerContext*,
                                                         const HealthCheckRequest* request) override {
    const std::scoped_lock lock{health_.mutex_};
    if (health_.closed_) return new RefusedWatch{{::grpc::StatusCode::UNAVAILABLE, "the server is ending"}};
    if (health_.watches_.size() >= kMaxHealthWatchers) {
      return new RefusedWatch{{::grpc::StatusCode::RESOURCE_EXHAUSTED, "too many watch already; Check still answers"}};
    }
    auto* watch = new HealthWatch{health_, is_known(*request)};
    watch->start();
    return watch;
  }

 private:
  Health& health_;
};

Health::Health() = default;
Health::~Health() = default;

std::unique_ptr<::grpc::Service> Health::service() { return std::make_unique<HealthService>(*this); }

void Health::set_serving(bool serving) {
  const std::scoped_lock lock{mutex_};
  serving_ = serving;
  for (HealthWatch* watch : watches_) watch->next();
}

void Health::close() {
  const std::scoped_lock lock{mutex_};
  closed_ = true;
  for (HealthWatch* watch : watches_) watch->next();
}

}  // namespace millrace::control::grpc
