#include "access/command_quota.hpp"

#include <algorithm>

namespace millrace::access {
namespace {

constexpr Nanoseconds kWindow = std::chrono::seconds{1};

}  // namespace

bool CommandQuota::take(std::string_view name, TimePoint now) {
  if (per_second_ == 0) return true;
  const std::lock_guard lock{mutex_};
  auto& bucket = bucket_of(name, now);
  const auto full_at = std::max(bucket.full_at, now) + kWindow / per_second_;
  if (full_at - now > kWindow) return false;
  bucket.full_at = full_at;
  return true;
}

CommandQuota::Bucket& CommandQuota::bucket_of(std::string_view name, TimePoint now) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    buckets_.splice(buckets_.begin(), buckets_, found->second);
    return buckets_.front();
  }
  if (buckets_.size() >= kMaxCountedNames) {
    by_name_.erase(std::string_view{buckets_.back().name});
    buckets_.pop_back();
  }
  buckets_.push_front({.name = std::string{name}, .full_at = now});
  by_name_.emplace(std::string_view{buckets_.front().name}, buckets_.begin());
  return buckets_.front();
}

std::size_t CommandQuota::counted() const {
  const std::lock_guard lock{mutex_};
  return buckets_.size();
}

}  // namespace millrace::access
