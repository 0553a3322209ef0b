// The bare relay as a child, so that its processor time is its own and it can sit on another CPU.

#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "mrload/affinity.hpp"
#include "mrload/bare_relay.hpp"

namespace millrace::mrload {

std::expected<BareRelayProcess, std::string> BareRelayProcess::start(const net::Address& address,
                                                                     std::optional<int> cpu) {
  raise_descriptor_limit();
  // Opened before the fork: the parent learns the port, and an error while there is somebody to tell.
  auto relay = BareRelay::open({address, Port{0}});
  if (!relay) return std::unexpected{"the bare relay: " + relay.error().message()};
  // The child inherits the CPU; the parent goes back to its own.
  cpu_set_t before;
  (void)::sched_getaffinity(0, sizeof before, &before);
  if (cpu) {
    if (auto pinned = pin_to(*cpu); !pinned) return std::unexpected{"the bare relay: " + pinned.error()};
  }
  const auto parent = ::getpid();
  const auto pid = ::fork();
  if (pid != 0) (void)::sched_setaffinity(0, sizeof before, &before);
  if (pid < 0) return std::unexpected{"the bare relay: " + sys_error("fork").message()};
  if (pid == 0) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);   // the parent ended before the line above
    while (true) relay->turn(std::nullopt);
  }
  return BareRelayProcess{pid, relay->control()};
}

BareRelayProcess::~BareRelayProcess() {
  if (pid_ == 0) return;
  (void)::kill(pid_, SIGKILL);
  (void)::waitpid(pid_, nullptr, 0);
}

}  // namespace millrace::mrload
