#include "app/dropin_settings.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/value.hpp"

namespace millrace::app {
namespace {

std::string list_of(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const auto& text : texts) quoted.push_back(config::quote(text));
  return fmt::format("[{}]", fmt::join(quoted, ", "));
}

std::string_view level_of(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kLevels{
      {{"DBUG", "debug"}, {"INFO", "info"}, {"WARN", "warning"}, {"ERR", "error"}, {"CRIT", "critical"}}};
  return std::ranges::find(kLevels, name, &std::pair<std::string_view, std::string_view>::first)->second;
}

// "LOG_LOCAL0" → "local0".
std::string facility_of(std::string_view name) {
  std::string lower{name.substr(std::string_view{"LOG_"}.size())};
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return static_cast<char>(c | 0x20); });  // digits stay what they are
  return lower;
}

}  // namespace

std::vector<std::string> to_assignments(const DropInOptions& options) {
  const bool asymmetric = options.force_asymmetric || (options.bridging && !options.bridge_symmetric);
  std::vector<std::string> assignments{
      "latching.policy=reference",
      "grpc.listen=",
      fmt::format("rtpproxy.listen={}", list_of(options.control_sockets)),
      fmt::format("session.idle_timeout={}s", options.idle_ttl),
      fmt::format("session.setup_timeout={}s", options.setup_ttl.value_or(options.idle_ttl)),
      fmt::format("session.timer_per_party={}", options.timer_per_party),
      fmt::format("session.asymmetric={}", asymmetric),
      fmt::format("relay.tos={}", options.tos),
      fmt::format("relay.double_small={}", options.double_small),
      fmt::format("media.order={}", options.sequential_ports ? "sequential" : "random"),
      fmt::format("log.level={}", level_of(options.log_level)),
      fmt::format("log.facility={}", facility_of(options.log_facility)),
      fmt::format("log.target={}", options.foreground || options.no_redirect ? "stderr" : "syslog"),
      "log.format=rtpproxy",
      "log.ident=rtpproxy",
  };
  if (!options.notify.empty()) assignments.push_back(fmt::format("rtpproxy.notify={}", list_of(options.notify)));
  assignments.insert(assignments.end(), options.set.begin(), options.set.end());
  return assignments;
}

}  // namespace millrace::app
