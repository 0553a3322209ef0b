#include "control/grpc/load_meter.hpp"

#include <sys/resource.h>

namespace millrace::control::grpc {

namespace {

Nanoseconds as_time(const timeval& time) {
  return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
}

Nanoseconds cpu_used() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return Nanoseconds{0};
  return as_time(usage.ru_utime) + as_time(usage.ru_stime);
}

}  // namespace

LoadMeter::LoadMeter() : at_{read_clocks().mono}, used_{cpu_used()} {}

void LoadMeter::measure(TimePoint now) {
  const Nanoseconds passed = now - at_;
  if (passed < kLoadInterval) return;
  const Nanoseconds used = cpu_used();
  load_.store(static_cast<double>((used - used_).count()) / static_cast<double>(passed.count()),
              std::memory_order_relaxed);
  at_ = now;
  used_ = used;
}

}  // namespace millrace::control::grpc
