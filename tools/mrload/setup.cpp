// `mrload setup`: how many calls a second a relay can take on and let go. One call set-up is offer and answer, and
// later the delete; the clock runs until the last delete is answered.

#include <fmt/format.h>

#include "mrload/modes.hpp"
#include "mrload/rig.hpp"

namespace millrace::mrload {

std::expected<Report, std::string> run_setup(const Options& options) {
  auto rig = prepare(options);
  if (!rig) return std::unexpected{rig.error()};
  auto control = rig->control();
  if (!control) return std::unexpected{control.error()};
  const auto before = rig->usage();

  const auto began = read_clocks().mono;
  SetupPlan plan{options.total, options.alive};
  if (auto placed = control->run(plan); !placed) return std::unexpected{placed.error()};
  const auto full = rig->usage();
  plan.tear_down();
  if (auto removed = control->run(plan); !removed) return std::unexpected{removed.error()};
  const auto took = static_cast<double>((read_clocks().mono - began).count());
  const auto after = rig->usage();
  for (const auto* usage : {&before, &full, &after}) {
    if (!*usage) return std::unexpected{usage->error()};
  }

  Report report{"setup"};
  describe(report, *rig);
  report.condition("calls_in_all", std::uint64_t{options.total});
  report.condition("calls_alive_at_most", std::uint64_t{options.alive});
  report.condition("requests_outstanding", std::uint64_t{options.window});
  const auto total = static_cast<double>(options.total);
  report.add({"setups_per_second", "call set-ups a second", total * 1e9 / took, "",
              options.window == 1 ? "waiting for each reply" : fmt::format("{} requests outstanding", options.window)});
  report.add({"seconds", "took", took / 1e9, "s", ""});
  report.add({"most_alive", "most calls at a time", std::uint64_t{plan.most_open()}, "", ""});
  report.add_delays("reply", "reply time", control->reply_times());
  report.add({"repeated_requests", "requests sent again", control->repeats(), "", "no reply within a second"});
  if (*before && *after) {
    const auto cpu = static_cast<double>(((*after)->cpu - (*before)->cpu).count());
    report.add({"cpu_per_setup_us", "relay: CPU a call set-up", cpu / total / 1e3, "us", "offer, answer and delete"});
    report.add(
        {"relay_resident_kb", "relay: resident memory", (*full)->resident / 1024, "KB", "with the calls that stood"});
  }
  return report;
}

}  // namespace millrace::mrload
