#include "control/grpc/node_methods.hpp"

#include <algorithm>
#include <chrono>

#include "control/grpc/office.hpp"
#include "net/interfaces.hpp"

namespace millrace::control::grpc {

namespace {

using std::chrono::seconds;

std::uint32_t count(std::size_t number) { return static_cast<std::uint32_t>(number); }
double as_ms(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; }

void write_engine(const EngineFacts& engine, ::rtpproxy::EngineInfo& out) {
  out.set_name(engine.name);
  out.set_on(true);
  out.set_workers(count(engine.workers.size()));
  std::uint64_t connections = 0, packets = 0;
  for (const WorkerFacts& worker : engine.workers) {
    connections += worker.connections;
    packets += worker.packets;
  }
  out.set_connections(connections);
  out.set_packets(packets);
  out.set_latency_p50_ms(as_ms(engine.latency_p50_ns));
  out.set_latency_p99_ms(as_ms(engine.latency_p99_ns));
}

}  // namespace

std::expected<Progress, Problem> GetServerInfo::run(Desk& desk) {
  const Parts& parts = desk.office.parts;
  facts_ = parts.node.facts();
  totals_ = desk.calls.totals();
  sessions_ = desk.calls.connections(ConnectionId{0}, false).size();
  at_ = desk.now.wall;
  cpu_load_ = desk.office.load.cpu_load();
  instance_ = parts.hub.instance();
  last_sequence_ = parts.hub.last_sequence();
  streams_ = parts.hub.statistics().subscriptions;
  return Progress::done;
}

void GetServerInfo::write(Response& out) const {
  out.set_program(facts_.program);
  out.set_version(facts_.version);
  out.set_instance_id(instance_);
  out.set_started_at(std::chrono::floor<seconds>(facts_.started.time_since_epoch()).count());
  const auto uptime = std::chrono::floor<seconds>(at_ - facts_.started).count();
  out.set_uptime_seconds(static_cast<std::uint64_t>(std::max<std::int64_t>(uptime, 0)));  // a clock may be set back
  out.set_draining(facts_.draining);
  out.set_sessions(count(sessions_));
  out.set_connections(count(totals_.active_connections));
  out.set_max_connections(facts_.max_connections);
  out.set_port_pairs_in_use(facts_.ports.in_use);
  out.set_packets_per_second(totals_.packets_in_per_second);
  out.set_cpu_load(cpu_load_);
  write_engine(facts_.engine, *out.add_engines());
  if (facts_.engine.name != "xdp") {
    auto& kernel = *out.add_engines();
    kernel.set_name("xdp");
    kernel.set_why_off("this build has no kernel engine");
  }
  out.set_latching_policy(facts_.latching_policy);
  out.set_event_streams(count(streams_));
  out.set_last_sequence(last_sequence_);
}

std::expected<Progress, Problem> ListInterfaces::run(Desk& desk) {
  interfaces_ = desk.office.parts.node.facts().interfaces;
  return Progress::done;
}

// The host is asked here, on the answering thread: control need not wait for the kernel's list.
void ListInterfaces::write(Response& out) const {
  for (const net::Interface& each : interfaces_) {
    auto& interface = *out.add_interfaces();
    interface.set_name(each.name);
    for (const net::Address& address : each.addresses) interface.add_addresses(address.to_string());
    interface.set_advertised(each.advertised);
    interface.set_first_port(each.range.first);
    interface.set_last_port(each.range.last);
  }
  for (const net::Address& address : net::this_host().addresses) out.add_host_addresses(address.to_string());
}

std::expected<Progress, Problem> DrainServer::run(Desk& desk) {
  desk.office.parts.node.drain();
  connections_ = count(desk.calls.totals().active_connections);
  return Progress::done;
}

}  // namespace millrace::control::grpc
