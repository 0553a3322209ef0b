#include "control/admin/doctor.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace millrace::control::admin {
namespace {

using Findings = std::vector<Finding>;

// Besides media: control sockets, epoll, log, pid file and the like.
constexpr std::uint64_t kOtherDescriptors = 100;
constexpr std::uint64_t kGoodReceiveBuffer = 256 * 1024;  // bytes: a quarter of a second of 200 calls' bursts
constexpr std::uint64_t kPortsPerCall = 4;
constexpr double kFewPorts = 0.8;  // of the range in use

std::uint64_t pairs_of(const net::Interface& interface) {
  return (static_cast<std::uint64_t>(interface.range.last - interface.range.first) / 2 + 1) *
         interface.addresses.size();
}

std::string title(const net::Interface& interface) {
  const auto address = interface.addresses.empty() ? std::string{"-"} : interface.addresses.front().to_string();
  return interface.name.empty() ? address : fmt::format("{} ({})", interface.name, address);
}

bool on_host(const net::Address& address, const HostFacts& host) {
  return address.is_any() || address.is_loopback() ||
         std::ranges::find(host.addresses, address) != host.addresses.end();
}

void check_addresses(const net::Interface& interface, const HostFacts& host, Findings& findings) {
  for (const auto& address : interface.addresses) {
    if (on_host(address, host)) {
      findings.push_back(
          {Severity::fine, "address", fmt::format("{} is an address of this host", address.to_string()), {}});
      continue;
    }
    std::string known;
    for (const auto& other : host.addresses) known += (known.empty() ? "" : ", ") + other.to_string();
    findings.push_back({Severity::problem, "address",
                        fmt::format("{} is not an address of this host any more: media ports on it cannot be opened",
                                    address.to_string()),
                        fmt::format("use one of these for the interface: {}; or give the address back to the host "
                                    "(ip address add)",
                                    known)});
  }
}

// What peers are told to send to.
void check_advertised(const net::Interface& interface, const HostFacts& host, Findings& findings) {
  const auto said = net::Address::parse(interface.advertised);
  const auto& address = said ? *said : interface.addresses.front();
  if (!interface.advertised.empty() && !said) {
    findings.push_back({Severity::advice, "advertised",
                        fmt::format("{} advertises the name '{}': many phones take only an address in SDP",
                                    title(interface), interface.advertised),
                        "advertise the public IP address instead"});
  } else if (address.is_any()) {
    findings.push_back(
        {Severity::advice, "advertised",
         fmt::format("{} listens on every address: the SIP server has to know by itself which one to put "
                     "into SDP",
                     title(interface)),
         "set media.address (or -l) to the address that phones reach"});
  } else if (address.is_loopback()) {
    findings.push_back(
        {Severity::advice, "advertised",
         fmt::format("{} is a loopback address: only parties on this host can send media to it", title(interface)),
         host.default_route ? fmt::format("for other hosts use media.address = \"{}\" (or -l {})",
                                          host.default_route->to_string(), host.default_route->to_string())
                            : "set media.address to the address that phones reach"});
  } else if (address.is_private()) {
    findings.push_back(
        {Severity::advice, "advertised",
         fmt::format("{} is told to phones and is a private address: parties outside of the local network "
                     "cannot send media to it",
                     address.to_string()),
         "if phones come from the internet set media.advertised (or -A) to the public address of this host"});
  } else {
    findings.push_back({Severity::fine, "advertised", fmt::format("phones are told {}", address.to_string()), {}});
  }
}

bool reserved(std::uint16_t first, std::uint16_t last, const std::string& list) {
  // "10000-20000,30000": is the whole range inside one item.
  for (std::size_t at = 0; at < list.size();) {
    const auto end = std::min(list.find(',', at), list.size());
    unsigned from = 0, to = 0;
    const auto item = list.substr(at, end - at);
    const int count = std::sscanf(item.c_str(), "%u-%u", &from, &to);
    if (count >= 1 && from <= first && (count == 2 ? to : from) >= last) return true;
    at = end + 1;
  }
  return false;
}

void check_ephemeral(const net::Interface& interface, const HostFacts& host, Findings& findings) {
  const auto first = interface.range.first;
  const auto last = static_cast<std::uint16_t>(interface.range.last + 1);
  const auto [low, high] = host.ephemeral_ports;
  const bool overlap = first <= high && low <= last;
  if (!overlap || reserved(std::max(first, low), std::min(last, high), host.reserved_ports)) {
    findings.push_back({Severity::fine,
                        "ephemeral ports",
                        fmt::format("the kernel does not hand out media ports {}-{} to others", first, last),
                        {}});
    return;
  }
  findings.push_back({Severity::advice, "ephemeral ports",
                      fmt::format("media ports {}-{} overlap the ports {}-{} that the kernel hands out to any program: "
                                  "calls find some of them taken",
                                  first, last, low, high),
                      fmt::format("sysctl -w net.ipv4.ip_local_reserved_ports={}-{} (and in /etc/sysctl.d), or choose "
                                  "another range",
                                  first, last)});
}

void check_taken(const net::Interface& interface, const NodeFacts& node, const HostFacts& host, Findings& findings) {
  std::uint64_t busy = 0;
  for (const auto& socket : host.udp_sockets) {
    const bool here = socket.address.is_any() ||
                      std::ranges::find(interface.addresses, socket.address) != interface.addresses.end() ||
                      std::ranges::any_of(interface.addresses, [](const auto& a) { return a.is_any(); });
    if (here && socket.port.value() >= interface.range.first && socket.port.value() <= interface.range.last + 1) ++busy;
  }
  const std::uint64_t ours = node.ports.in_use * 2;
  if (busy <= ours) {
    findings.push_back({Severity::fine, "ports taken", "no other program uses media ports", {}});
    return;
  }
  findings.push_back({Severity::advice, "ports taken",
                      fmt::format("other programs hold {} of the media ports of {}; calls pass them over", busy - ours,
                                  title(interface)),
                      "ss -ulnp shows who; move that program or the range"});
}

void check_descriptors(const NodeFacts& node, const HostFacts& host, Findings& findings) {
  std::uint64_t pairs = 0;
  for (const auto& interface : node.interfaces) pairs += pairs_of(interface);
  const std::uint64_t wanted = pairs * 2 + kOtherDescriptors;
  if (host.open_files_limit >= wanted) {
    findings.push_back(
        {Severity::fine,
         "descriptors",
         fmt::format("{} open files are allowed, all media ports together need {}", host.open_files_limit, wanted),
         {}});
    return;
  }
  const auto calls =
      host.open_files_limit <= kOtherDescriptors ? 0 : (host.open_files_limit - kOtherDescriptors) / kPortsPerCall;
  findings.push_back(
      {Severity::advice, "descriptors",
       fmt::format("{} open files are allowed, which is enough for {} calls; the port ranges would serve {}",
                   host.open_files_limit, calls, pairs / 2),
       fmt::format("LimitNOFILE={} in the unit (or -L {}, ulimit -n {})", wanted, wanted, wanted)});
}

void check_buffers(const NodeFacts& node, const HostFacts& host, Findings& findings) {
  if (node.receive_buffer > host.receive_buffer_max) {
    findings.push_back({Severity::advice, "receive buffers",
                        fmt::format("media.receive_buffer asks for {} bytes, the kernel allows {}", node.receive_buffer,
                                    host.receive_buffer_max),
                        fmt::format("sysctl -w net.core.rmem_max={}", node.receive_buffer)});
  } else if (host.receive_buffer_max < kGoodReceiveBuffer / 2) {
    findings.push_back({Severity::advice, "receive buffers",
                        fmt::format("the kernel allows receive buffers of only {} bytes", host.receive_buffer_max),
                        fmt::format("sysctl -w net.core.rmem_max={}", kGoodReceiveBuffer)});
  } else {
    findings.push_back({Severity::fine,
                        "receive buffers",
                        fmt::format("the kernel allows {} bytes a socket", host.receive_buffer_max),
                        {}});
  }
  if (host.udp_receive_buffer_errors == 0) return;
  findings.push_back(
      {Severity::advice, "receive buffers",
       fmt::format("{} UDP packets were lost on this host since its start because a receive buffer was full",
                   host.udp_receive_buffer_errors),
       "if the number grows while calls run: set media.receive_buffer = \"1MiB\" and raise net.core.rmem_max"});
}

void check_ports_left(const NodeFacts& node, Findings& findings) {
  std::uint64_t pairs = 0;
  for (const auto& interface : node.interfaces) pairs += pairs_of(interface);
  if (static_cast<double>(node.ports.in_use) > kFewPorts * static_cast<double>(pairs)) {
    findings.push_back(
        {Severity::problem, "ports left",
         fmt::format("{} of {} port pairs are in use: new calls will soon be refused", node.ports.in_use, pairs),
         "widen media.ports (or -m and -M), or add an address"});
  } else {
    findings.push_back(
        {Severity::fine, "ports left", fmt::format("{} of {} port pairs are in use", node.ports.in_use, pairs), {}});
  }
  if (node.ports.taken_while_resting == 0) return;
  findings.push_back(
      {Severity::advice, "ports left",
       fmt::format("{} times a port was used again before it had rested", node.ports.taken_while_resting),
       "widen media.ports: a late packet of an old call could enter a new one"});
}

// What the machine refused while calls were set up; each of these cost a call its media.
void check_failures(const NodeFacts& node, Findings& findings) {
  if (node.ports.failed > 0) {
    findings.push_back({Severity::problem, "sockets",
                        fmt::format("{} times a media port could not be opened, the last time: {}", node.ports.failed,
                                    node.port_failure),
                        "too many open files: raise LimitNOFILE (or -L); anything else: see that line's reason"});
  }
  if (node.engine.sockets_failed > 0) {
    findings.push_back(
        {Severity::problem, "sockets",
         fmt::format("{} times a worker could not watch a media socket or set its TOS or TTL",
                     node.engine.sockets_failed),
         "raise fs.epoll.max_user_watches and look for a lack of memory; a container may forbid relay.tos"});
  }
}

}  // namespace

std::string_view name_of(Severity severity) {
  constexpr std::array<std::string_view, 3> kNames{"fine", "advice", "problem"};
  return kNames[static_cast<std::size_t>(severity)];
}

std::vector<Finding> examine(const NodeFacts& node, const HostFacts& host) {
  Findings findings;
  for (const auto& interface : node.interfaces) {
    check_addresses(interface, host, findings);
    check_advertised(interface, host, findings);
    check_ephemeral(interface, host, findings);
    check_taken(interface, node, host, findings);
  }
  check_ports_left(node, findings);
  check_failures(node, findings);
  check_descriptors(node, host, findings);
  check_buffers(node, host, findings);
  if (node.log_lines_dropped > 0) {
    findings.push_back({Severity::advice, "log",
                        fmt::format("{} log lines were lost: the log's reader is too slow", node.log_lines_dropped),
                        "log less (mrctl log warning), or to a faster place"});
  }
  return findings;
}

}  // namespace millrace::control::admin
