// `mrload memory`: resident memory without calls and with N of them, each with some media, so that whatever a relay
// allocates with the first packets is counted too. Honest only for a relay that carried no calls before.

#include "mrload/modes.hpp"
#include "mrload/rig.hpp"

namespace millrace::mrload {

std::expected<Report, std::string> run_memory(const Options& options) {
  auto rig = prepare(options);
  if (!rig) return std::unexpected{rig.error()};
  auto control = rig->control();
  if (!control) return std::unexpected{control.error()};
  const auto empty = rig->usage();
  if (!empty) return std::unexpected{empty.error()};

  const auto calls = options.traffic.calls;
  SetupPlan plan{calls, calls};
  if (auto placed = control->run(plan); !placed) return std::unexpected{placed.error()};
  const auto placed = rig->usage();
  const auto counts = Generator{rig->sockets, control->send_to(), rig->options.traffic}.run([] {});
  const auto full = rig->usage();
  plan.tear_down();
  const auto removed = control->run(plan);
  const auto after = rig->usage();
  if (!counts) return std::unexpected{counts.error().message()};
  for (const auto* usage : {&placed, &full, &after}) {
    if (!*usage) return std::unexpected{usage->error()};
  }
  if (!removed) return std::unexpected{removed.error()};

  Report report{"memory"};
  describe(report, *rig);
  report.condition("calls", std::uint64_t{calls});
  const auto per_call = [&](const ProcessUsage& usage) {
    return (static_cast<double>(usage.resident) - static_cast<double>((*empty)->resident)) / 1024 / calls;
  };
  report.add({"resident_empty_kb", "resident without calls", (*empty)->resident / 1024, "KB", ""});
  report.add({"resident_full_kb", "resident with calls and media", (*full)->resident / 1024, "KB", ""});
  report.add({"per_call_kb", "memory a call", per_call(**full), "KB", ""});
  report.add({"per_call_without_media_kb", "  before its first packet", per_call(**placed), "KB", ""});
  report.add({"resident_after_kb", "resident after the calls", (*after)->resident / 1024, "KB", ""});
  report.add({"lost_packets", "lost", counts->all_sent() - counts->all_received(), "", "every call carried media"});
  return report;
}

}  // namespace millrace::mrload
