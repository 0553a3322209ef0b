#pragma once
// The standard health service (grpc.health.v1), which needs no token. gRPC's own one lets anybody watch as often as they
// like, at 17 KB a stream; here the watchers of a node are bounded. Any thread.

#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_set>

namespace grpc {
class Service;
}

namespace millrace::control::grpc {

inline constexpr std::size_t kMaxHealthWatchers = 128;  // more get RESOURCE_EXHAUSTED; Check always answers

class HealthWatch;

class Health {
 public:
  Health();
  ~Health();
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;

  // One for each server; this outlives it.
  [[nodiscard]] std::unique_ptr<::grpc::Service> service();
  // Whoever watches is told.
  void set_serving(bool serving);
  // Watches end; new ones are refused.
  void close();

 private:
  friend class HealthService;
  friend class HealthWatch;

  std::mutex mutex_;  // of everything here, and of the watches
  bool serving_ = true;
  bool closed_ = false;
  std::unordered_set<HealthWatch*> watches_;
};

}  // namespace millrace::control::grpc
