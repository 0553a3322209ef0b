#include "app/dropin_options.hpp"

#include <getopt.h>

#include <algorithm>
#include <array>
#include <functional>

#include <fmt/format.h>

#include "app/dropin_addresses.hpp"
#include "base/parse.hpp"
#include "control/transport/socket_spec.hpp"

namespace millrace::app {

const char* const kDropInUsage =
    "usage: rtpproxy [-2fvFiPabRD] [-l ADDR[/ADDR2]] [-6 ADDR[/ADDR2]] [-s SOCKET] [-t TOS] [-r DIR [-S DIR]]\n"
    "                [-T SECONDS] [-W SECONDS] [-L FILES] [-m PORT] [-M PORT] [-u USER[:GROUP]] [-w MODE]\n"
    "                [-n NOTIFY_SOCKET] [-d LEVEL[:FACILITY]] [-p PIDFILE] [-c fifo|rr] [-A ADDR[/ADDR2]]\n"
    "                [--config FILE] [--dso FILE] [--force_asymmetric] [--bridge_symmetric] [--no_resolve]\n"
    "                [--no_redirect] [--nice N] [--overload_prot[=..]] [--set SECTION.KEY=VALUE]\n"
    "       rtpproxy -v | -V | -C\n";

namespace {

constexpr std::string_view kDefaultSocket = "unix:/var/run/rtpproxy.sock";
constexpr std::uint16_t kDefaultPortMin = 35000, kDefaultPortMax = 65000;

enum LongOption : int {
  kBridgeSymmetric = 256,
  kForceAsymmetric,
  kNoResolve,
  kNoRedirect,
  kNice,
  kOverload,
  kConfig,
  kDso,
  kSet,
};
constexpr std::array kLongOptions{
    option{"bridge_symmetric", no_argument, nullptr, kBridgeSymmetric},
    option{"force_asymmetric", no_argument, nullptr, kForceAsymmetric},
    option{"no_resolve", no_argument, nullptr, kNoResolve},
    option{"no_redirect", no_argument, nullptr, kNoRedirect},
    option{"nice", required_argument, nullptr, kNice},
    option{"overload_prot", optional_argument, nullptr, kOverload},
    option{"config", required_argument, nullptr, kConfig},
    option{"dso", required_argument, nullptr, kDso},
    option{"set", required_argument, nullptr, kSet},
    option{nullptr, 0, nullptr, 0},
};
constexpr const char* kShortOptions = ":2fvFiPabRDVCl:6:s:t:r:S:T:W:L:m:M:u:w:n:d:p:c:A:";

using Failure = std::unexpected<std::string>;

// Everything an option's text goes into before the options are known as a whole.
struct Raw {
  DropInOptions options;
  DropInAddresses addresses;
  std::uint16_t port_min = kDefaultPortMin, port_max = kDefaultPortMax;
  std::optional<unsigned> mode;
};

struct Number {
  char option;
  long low, high;
};

std::expected<int, std::string> number(std::string_view text, const Number& range) {
  const auto value = parse_number<int>(text);
  if (value && *value >= range.low && *value <= range.high) return *value;
  return Failure{fmt::format("-{}: '{}' is not a number from {} to {}", range.option, text, range.low, range.high)};
}

std::optional<std::string> take(std::expected<int, std::string> value, const std::function<void(int)>& store) {
  if (!value) return value.error();
  store(*value);
  return std::nullopt;
}

std::optional<std::string> take_user(std::string_view text, DropInOptions& options) {
  const auto colon = text.find(':');
  options.user = text.substr(0, colon);
  if (colon != std::string_view::npos) options.group = text.substr(colon + 1);
  if (options.user.empty() && options.group.empty()) return "-u: a user, a user:group or a :group is needed";
  return std::nullopt;
}

std::optional<std::string> take_log(std::string_view text, DropInOptions& options) {
  constexpr std::array<std::string_view, 5> kLevels{"DBUG", "INFO", "WARN", "ERR", "CRIT"};
  constexpr std::array<std::string_view, 20> kFacilities{
      "LOG_AUTH",   "LOG_AUTHPRIV", "LOG_CRON",   "LOG_DAEMON", "LOG_FTP",    "LOG_KERN",   "LOG_LOCAL0",
      "LOG_LOCAL1", "LOG_LOCAL2",   "LOG_LOCAL3", "LOG_LOCAL4", "LOG_LOCAL5", "LOG_LOCAL6", "LOG_LOCAL7",
      "LOG_LPR",    "LOG_MAIL",     "LOG_NEWS",   "LOG_SYSLOG", "LOG_USER",   "LOG_UUCP"};
  const auto colon = text.find(':');
  options.log_level = text.substr(0, colon);
  if (std::ranges::find(kLevels, options.log_level) == kLevels.end()) {
    return fmt::format("-d: '{}' is no log level: DBUG, INFO, WARN, ERR or CRIT", options.log_level);
  }
  if (colon == std::string_view::npos) return std::nullopt;
  options.log_facility = text.substr(colon + 1);
  if (std::ranges::find(kFacilities, options.log_facility) == kFacilities.end()) {
    return fmt::format("-d: '{}' is no syslog facility, such as LOG_DAEMON or LOG_LOCAL0", options.log_facility);
  }
  return std::nullopt;
}

std::optional<std::string> take_notify(std::string_view text, DropInOptions& options) {
  const auto rest = text.starts_with("tcp:") ? text.substr(4) : text.starts_with("unix:") ? text.substr(5) : text;
  if (rest.empty()) return std::string{"-n: an empty notification socket"};
  if (text.starts_with("tcp:")) {
    const auto colon = rest.rfind(':');
    const auto port =
        colon == std::string_view::npos ? std::nullopt : parse_number<std::uint16_t>(rest.substr(colon + 1));
    if (colon == 0 || !port || *port == 0) return fmt::format("-n: '{}' needs a host and a port, tcp:HOST:PORT", text);
  }
  options.notify.emplace_back(text);
  return std::nullopt;
}

std::optional<std::string> take_socket(std::string_view text, DropInOptions& options) {
  const auto spec = control::transport::parse_socket_spec(text);
  if (!spec) return "-s: " + spec.error();
  options.control_sockets.emplace_back(text);
  return std::nullopt;
}

std::optional<std::string> take_scheduler(std::string_view text, DropInOptions& options) {
  if (text != "fifo" && text != "rr") return fmt::format("-c: '{}' is no scheduler: fifo or rr", text);
  options.scheduler = text;
  return std::nullopt;
}

void take_flag(int letter, DropInOptions& options) {
  switch (letter) {
    case 'f': options.foreground = true; break;
    case 'F': options.root_allowed = true; break;
    case '2': options.double_small = true; break;
    case 'i': options.timer_per_party = true; break;
    case 'P': options.pcap_recordings = true; break;
    case 'a': options.record_all = true; break;
    case 'b': options.sequential_ports = true; break;
    case 'R': options.no_rtcp_recording = true; break;
    case 'D': options.keep_directory = true; break;
    case 'v': options.action = DropInOptions::Action::show_features; break;
    case 'V': options.action = DropInOptions::Action::show_version; break;
    case 'C': options.action = DropInOptions::Action::show_clock; break;
    case kBridgeSymmetric: options.bridge_symmetric = true; break;
    case kForceAsymmetric: options.force_asymmetric = true; break;
    case kNoResolve: options.no_resolve = true; break;
    case kNoRedirect: options.no_redirect = true; break;
    case kOverload: options.overload_protection = true; break;
    default: break;
  }
}

// Options with a value. Nothing: fine.
std::optional<std::string> take_value(int letter, std::string_view text, Raw& raw) {
  DropInOptions& options = raw.options;
  const auto within = [text, letter](long low, long high) {
    return number(text, {.option = static_cast<char>(letter), .low = low, .high = high});
  };
  constexpr long kIntMax = 2147483647;
  switch (letter) {
    case 'l': raw.addresses.ipv4.emplace_back(text); break;
    case '6':
      raw.addresses.ipv6_first = raw.addresses.ipv6_first || raw.addresses.ipv4.empty();
      raw.addresses.ipv6.emplace_back(text);
      break;
    case 'A': raw.addresses.advertised = text; break;
    case 's': return take_socket(text, options);
    case 'n': return take_notify(text, options);
    case 'u': return take_user(text, options);
    case 'd': return take_log(text, options);
    case 'c': return take_scheduler(text, options);
    case 'r': options.recording_directory = text; break;
    case 'S': options.spool_directory = text; break;
    case 'p': options.pid_file = text; break;
    case 't': return take(within(0, 255), [&](int v) { options.tos = v; });
    case 'T': return take(within(1, kIntMax), [&](int v) { options.idle_ttl = v; });
    case 'W': return take(within(1, kIntMax), [&](int v) { options.setup_ttl = v; });
    case 'L': return take(within(1, kIntMax), [&](int v) { options.open_files = v; });
    case 'm': return take(within(1, 65535), [&](int v) { raw.port_min = static_cast<std::uint16_t>(v); });
    case 'M': return take(within(1, 65535), [&](int v) { raw.port_max = static_cast<std::uint16_t>(v); });
    case 'w': return take(within(0, 07777), [&](int v) { raw.mode = static_cast<unsigned>(v); });
    case kNice: {
      const auto value = parse_number<int>(text);
      if (!value) return fmt::format("--nice: '{}' is not a number", text);
      options.nice = value;
      break;
    }
    case kConfig: options.config_file = text; break;
    case kDso: options.modules.emplace_back(text); break;
    case kSet: options.set.emplace_back(text); break;
    default: break;
  }
  return std::nullopt;
}

std::expected<net::PortRange, std::string> port_range(const Raw& raw) {
  const unsigned first = raw.port_min + (raw.port_min & 1u);
  // The last pair: an odd limit is its RTCP port, an even one has no room for a pair's second port.
  const unsigned last = (raw.port_max & 1u) != 0 ? raw.port_max - 1u : raw.port_max - 2u;
  if (raw.port_min > raw.port_max || first > last || last > 65534) {
    return Failure{fmt::format("-m {} -M {}: there is no even port with an odd one above it between them", raw.port_min,
                               raw.port_max)};
  }
  return net::PortRange{static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last)};
}

void note_what_has_no_effect(DropInOptions& options) {
  const auto note = [&options](bool given, std::string_view text) {
    if (given) options.without_effect.emplace_back(text);
  };
  note(!options.recording_directory.empty(), "-r: recording is not built in yet, nothing is recorded");
  note(options.record_all, "-a: recording is not built in yet, nothing is recorded");
  note(!options.spool_directory.empty(), "-S: recording is not built in yet");
  note(options.pcap_recordings, "-P: recording is not built in yet");
  note(options.no_rtcp_recording, "-R: recording is not built in yet");
  note(!options.modules.empty(), "--dso: modules of the reference cannot be loaded");
  note(!options.config_file.empty(), "--config: modules are not built in yet, the file is not read");
  note(options.overload_protection,
       "--overload_prot: always on, a new session is refused with E98 when too much waits");
}

std::optional<std::string> check_sockets(const DropInOptions& options) {
  std::size_t stdio = 0, passed = 0;
  for (const std::string& text : options.control_sockets) {
    const auto kind = control::transport::parse_socket_spec(text)->kind;
    stdio += control::transport::is_stdio(kind) ? 1 : 0;
    passed += kind == control::transport::Kind::systemd ? 1 : 0;
  }
  if (stdio > 0 && !options.foreground) return "-s stdio: commands on standard input need the foreground, -f";
  if (passed > 1) return "-s systemd: there is only one socket that systemd passes";
  return std::nullopt;
}

std::expected<DropInOptions, std::string> finish(Raw raw) {
  DropInOptions& options = raw.options;
  if (options.action != DropInOptions::Action::run) return std::move(options);
  const auto range = port_range(raw);
  if (!range) return Failure{range.error()};
  raw.addresses.resolve_names = !options.no_resolve;
  auto interfaces = make_interfaces(raw.addresses, *range);
  if (!interfaces) return Failure{interfaces.error()};
  options.interfaces = std::move(interfaces->interfaces);
  options.bridging = interfaces->bridging;
  if (options.control_sockets.empty()) options.control_sockets.emplace_back(kDefaultSocket);
  if (!options.spool_directory.empty() && options.recording_directory.empty()) {
    return Failure{std::string{"-S: a spool directory needs the recording directory, -r"}};
  }
  if (!options.group.empty()) options.socket_mode = raw.mode.value_or(0755);
  if (raw.mode && options.group.empty()) {
    options.without_effect.emplace_back("-w: only used together with a group in -u");
  }
  if (const auto problem = check_sockets(options)) return Failure{*problem};
  note_what_has_no_effect(options);
  return std::move(options);
}

}  // namespace

bool DropInOptions::refuses_root() const {
  return !root_allowed && user.empty() && std::ranges::any_of(control_sockets, [](const std::string& text) {
    return control::transport::is_datagram(control::transport::parse_socket_spec(text)->kind);
  });
}

std::expected<DropInOptions, std::string> parse_dropin_options(std::span<char* const> arguments) {
  Raw raw;
  ::optind = 0;  // glibc: start anew, for tests that parse more than once
  ::opterr = 0;
  const int count = static_cast<int>(arguments.size());
  for (;;) {
    const int letter = ::getopt_long(count, arguments.data(), kShortOptions, kLongOptions.data(), nullptr);
    if (letter == -1) break;
    if (letter == ':')
      return Failure{fmt::format("{}: a value is missing", arguments[static_cast<std::size_t>(::optind) - 1])};
    if (letter == '?') {
      const auto* word = arguments[static_cast<std::size_t>(std::max(::optind - 1, 1))];
      return Failure{::optopt > ' ' && ::optopt < 127 ? fmt::format("unknown option -{}", static_cast<char>(::optopt))
                                                      : fmt::format("unknown option {}", word)};
    }
    const bool has_value = ::optarg != nullptr && letter != kOverload;
    if (!has_value) {
      take_flag(letter, raw.options);
    } else if (const auto problem = take_value(letter, ::optarg, raw)) {
      return Failure{*problem};
    }
  }
  if (::optind < count)
    return Failure{fmt::format("unexpected word '{}'", arguments[static_cast<std::size_t>(::optind)])};
  return finish(std::move(raw));
}

}  // namespace millrace::app
