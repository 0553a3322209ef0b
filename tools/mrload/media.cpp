// `mrload media`: loss, delay and processor time of N calls with media.
//
// The added delay is what the relay adds, and is counted so: a packet's delay runs from the moment before it is handed
// to the kernel to the kernel's stamp on its arrival. First a second of direct traffic at the same rate, caller's socket
// to callee's, gives the delay without a relay; its median is taken off every percentile of the delay through the relay.

#include <fmt/format.h>

#include "mrload/modes.hpp"
#include "mrload/rig.hpp"

namespace millrace::mrload {
namespace {

constexpr std::chrono::seconds kBaseline{1};
constexpr double kPaceKept = 0.99;  // below this share of the wanted rate the figures are of another load

struct Usage {
  std::vector<ProcessUsage> edges;  // before and after the measured packets
  HostDrops dropped;  // in the meantime, late packets included
  std::string error;
};

std::expected<Histogram, std::string> baseline(const Rig& rig) {
  Traffic traffic = rig.options.traffic;
  traffic.warm_up = std::chrono::milliseconds{100};
  traffic.duration = kBaseline;
  auto counts = Generator{rig.sockets, {}, traffic}.run([] {});
  if (!counts) return std::unexpected{counts.error().message()};
  return std::move(counts->delay);
}

// A run number of its own, or late packets of the direct traffic would count as wrong deliveries.
std::expected<Counts, std::string> measure(const Rig& rig, const std::vector<Sides>& send_to, Usage& usage) {
  const auto before = host_drops();
  auto counts = Generator{rig.sockets, send_to, rig.options.traffic}.run([&] {
    auto now = rig.usage();
    if (!now) usage.error = now.error();
    if (now && *now) usage.edges.push_back(**now);
  });
  if (!counts) return std::unexpected{counts.error().message()};
  if (!usage.error.empty()) return std::unexpected{usage.error};
  const auto after = host_drops();
  usage.dropped = {after.full_sockets - before.full_sockets, after.backlog - before.backlog};
  return std::move(*counts);
}

std::string pace_note(const Traffic& traffic, const Counts& counts) {
  if (counts.sent_per_second() < kPaceKept * traffic.packets_per_second()) {
    return fmt::format("of {:.0f} wanted: THE GENERATOR DID NOT KEEP ITS PACE", traffic.packets_per_second());
  }
  return fmt::format("of {:.0f} wanted", traffic.packets_per_second());
}

void add_counts(Report& report, const Traffic& traffic, const Counts& counts, const HostDrops& dropped) {
  const auto lost = counts.all_sent() - counts.all_received();
  report.add({"sent_packets", "sent", counts.all_sent(), "", ""});
  report.add({"sent_per_second", "sent a second", counts.sent_per_second(), "", pace_note(traffic, counts)});
  report.add({"received_packets", "received", counts.all_received(), "", ""});
  report.add({"lost_packets", "lost", lost, "",
              fmt::format("{:.4f} %", 100.0 * static_cast<double>(lost) / static_cast<double>(counts.all_sent()))});
  report.add({"lost_from_callers", "  sent by callers", counts.lost(0), "", ""});
  report.add({"lost_from_callees", "  sent by callees", counts.lost(1), "", ""});
  report.add({"lost_in_generator", "  in the generator itself", counts.overrun, "", "its receive buffer ran over"});
  report.add({"dropped_in_full_sockets", "  host: in full receive buffers", dropped.full_sockets, "",
              "of any process, from the warm-up on"});
  report.add({"dropped_in_backlog", "  host: before any socket", dropped.backlog, "", ""});
  report.add({"lost_in_warm_up", "lost while warming up", counts.warm_up_lost, "", "not in the figures above"});
  report.add({"duplicates", "duplicates", counts.duplicates, "", ""});
  report.add({"wrong_deliveries", "wrong deliveries", counts.wrong, "", "out of another leg, call or address"});
  report.add({"foreign_packets", "foreign or damaged", counts.foreign, "", ""});
  report.add({"slipped_ms", "schedule moved by", static_cast<double>(counts.slipped.count()) / 1e6, "ms",
              "the machine held the generator up"});
}

void add_delays(Report& report, const Counts& counts, const std::optional<Histogram>& direct) {
  report.add_delays("delay", "delay", counts.delay);
  if (direct) {
    report.add_delays("direct", "direct path", *direct);
    report.add_delays("added", "added delay", counts.delay, direct->percentile(0.5));
  }
  report.add({"bad_stamps", "delays thrown away", counts.bad_stamps, "", "below 0 or above 10 s: a stepped clock"});
}

void add_processor(Report& report, const Counts& counts, const Usage& usage) {
  if (usage.edges.size() != 2 || counts.all_received() == 0) return;
  const auto cpu = static_cast<double>((usage.edges[1].cpu - usage.edges[0].cpu).count());
  const auto relayed = static_cast<double>(counts.all_received());
  report.add({"cpu_per_packet_us", "relay: CPU a relayed packet", cpu / relayed / 1e3, "us", ""});
  report.add(
      {"cpu_percent", "relay: CPU in use", 100 * cpu / static_cast<double>(counts.sending.count()), "%", "of one"});
  report.add({"relay_threads", "relay: threads", std::uint64_t{usage.edges[1].threads}, "", ""});
  report.add({"relay_resident_kb", "relay: resident memory", usage.edges[1].resident / 1024, "KB", ""});
}

void describe_traffic(Report& report, const Traffic& traffic) {
  report.condition("calls", std::uint64_t{traffic.calls});
  report.condition("packets_per_second_and_side", traffic.per_side);
  report.condition("payload_bytes", std::uint64_t{traffic.payload});
  report.condition("seconds", traffic.duration.count());
  report.condition("tick_us", static_cast<double>(traffic.tick.count()) / 1e3);
}

}  // namespace

std::expected<Report, std::string> run_media(const Options& options) {
  auto rig = prepare(options);
  if (!rig) return std::unexpected{rig.error()};
  std::optional<Histogram> direct;
  if (options.baseline && !options.direct) {
    auto measured = baseline(*rig);
    if (!measured) return std::unexpected{measured.error()};
    direct = std::move(*measured);
    rig->options.traffic.run += kMaxStreams;  // the next run number
    if (rig->options.traffic.run == 0) rig->options.traffic.run = kMaxStreams;
  }

  auto control = rig->control();
  if (!control) return std::unexpected{control.error()};
  const auto calls = options.traffic.calls;
  SetupPlan plan{calls, calls};
  if (!options.direct) {
    if (auto placed = control->run(plan); !placed) return std::unexpected{placed.error()};
  }
  Usage usage;
  const auto counts = measure(*rig, control->send_to(), usage);
  plan.tear_down();
  const auto removed = control->run(plan);
  if (!counts) return std::unexpected{counts.error()};
  if (!removed) return std::unexpected{removed.error()};

  Report report{"media"};
  describe(report, *rig);
  describe_traffic(report, rig->options.traffic);
  add_counts(report, rig->options.traffic, *counts, usage.dropped);
  add_delays(report, *counts, direct);
  add_processor(report, *counts, usage);
  return report;
}

}  // namespace millrace::mrload
