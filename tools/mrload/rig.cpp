#include "mrload/rig.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <random>

#include "mrload/affinity.hpp"
#include "net/udp.hpp"

namespace millrace::mrload {
namespace {

// Never zero, and without the bits of the stream number.
std::uint32_t fresh_run() { return (std::random_device{}() | 0x8000'0000) & kRunMask; }

std::string cpus_of(pid_t pid) {
  cpu_set_t set;
  if (::sched_getaffinity(pid, sizeof set, &set) != 0) return "unknown";
  std::string text;
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) text += fmt::format("{}{}", text.empty() ? "" : ",", cpu);
  }
  return text;
}

net::Address local_for(const Options& options) {
  if (options.local.family() != net::Family::none) return options.local;
  if (options.relay.address.is_loopback()) return options.relay.address;
  return net::source_towards(options.relay.address).value_or(net::Address::any(options.relay.address.family()));
}

}  // namespace

std::expected<CallControl, std::string> Rig::control() const {
  return CallControl::open({.protocol = options.protocol,
                            .relay = options.relay,
                            .window = options.window,
                            .run = options.traffic.run,
                            .local = sockets.local()});
}

std::expected<std::optional<ProcessUsage>, std::string> Rig::usage() const {
  if (!options.relay_pid) return std::nullopt;
  return usage_of(*options.relay_pid);
}

std::expected<Rig, std::string> prepare(const Options& options) {
  Options own = options;
  std::optional<BareRelayProcess> relay;
  if (own.own_relay) {   // before this thread is pinned: a child inherits that
    auto started = BareRelayProcess::start(own.relay.address, own.relay_cpu);
    if (!started) return std::unexpected{started.error()};
    own.relay = started->control();
    own.relay_pid = started->pid();
    relay.emplace(std::move(*started));
  }
  if (own.relay_pid) {
    if (auto usage = usage_of(*own.relay_pid); !usage) return std::unexpected{usage.error()};
  }
  if (own.cpu) {
    if (auto pinned = pin_to(*own.cpu); !pinned) return std::unexpected{pinned.error()};
  }
  sleep_precisely();
  own.traffic.run = fresh_run();
  auto sockets = MediaSockets::open(local_for(own), own.pairs);
  if (!sockets) return std::unexpected{sockets.error()};
  return Rig{std::move(own), std::move(relay), std::move(*sockets)};
}

void describe(Report& report, const Rig& rig) {
  const Options& options = rig.options;
  const std::string relay = options.direct ? "none: the two sides send to one another"
                            : options.own_relay
                                ? "the bare relay of mrload"
                                : fmt::format("{} at udp {}", options.protocol == Protocol::ng ? "ng" : "rtpproxy",
                                              options.relay.to_string());
  report.condition("relay", relay);
  if (options.relay_pid) {
    report.condition("relay_process", fmt::format("{} ({})", name_of(*options.relay_pid), *options.relay_pid));
    report.condition("relay_cpus", cpus_of(*options.relay_pid));
  }
  report.condition("generator", fmt::format("{}, {} sockets, receive buffer {} KiB each",
                                            rig.sockets.local()[0][0].address.to_string(), 2 * rig.sockets.pairs(),
                                            rig.sockets.receive_buffer() / 1024));
  report.condition("generator_cpus", cpus_of(0));
  report.condition("processor", processor_model());
  report.condition("kernel", kernel_release());
}

}  // namespace millrace::mrload
