#include "app/facts.hpp"

namespace millrace::app {

std::uint64_t sockets_failed(const dataplane::SocketEngine& engine) {
  std::uint64_t failed = 0;
  for (const auto& worker : engine.workers()) failed += worker->statistics().sockets_failed.value();
  return failed;
}

control::EngineFacts facts_of(const dataplane::SocketEngine& engine) {
  control::EngineFacts facts{
      .name = std::string{engine.name()}, .workers = {}, .sockets_failed = sockets_failed(engine)};
  observe::LatencySnapshot latency;
  for (std::size_t i = 0; i < engine.workers().size(); ++i) {
    const auto& statistics = engine.workers()[i]->statistics();
    facts.workers.push_back({.connections = engine.load(i), .packets = statistics.packets_in.value()});
    latency.add(statistics.latency.snapshot());
  }
  facts.latency_p50_ns = static_cast<std::uint64_t>(latency.percentile(0.5).count());
  facts.latency_p99_ns = static_cast<std::uint64_t>(latency.percentile(0.99).count());
  return facts;
}

void add_ports(control::NodeFacts& facts, const net::PortPool& ports) {
  facts.interfaces = ports.interfaces();
  facts.ports = ports.statistics();
  if (const auto& failure = ports.last_failure()) facts.port_failure = failure->message();
}

}  // namespace millrace::app
