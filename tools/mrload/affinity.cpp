#include "mrload/affinity.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/error.hpp"

namespace millrace::mrload {

std::expected<void, std::string> pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  if (::sched_setaffinity(0, sizeof set, &set) == 0) return {};
  return std::unexpected{fmt::format("CPU {} cannot be had: {}", cpu, sys_error("sched_setaffinity").message())};
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

void sleep_precisely() { (void)::prctl(PR_SET_TIMERSLACK, 1); }

}  // namespace millrace::mrload
