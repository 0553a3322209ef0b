#include "mrload/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/version.hpp"

namespace millrace::mrload {
namespace {

constexpr std::string_view kAbout =
    "Load generator for RTP relays: places two-sided calls through a relay, sends media at its real pace and measures\n"
    "loss, delay, processor time, memory and set-up rate.";

constexpr std::string_view kFooter =
    "Examples:\n"
    "  mrload media --calls 500 --pid $(pidof millrace)          500 calls, 50 packets/s a side, 10 s\n"
    "  mrload media --protocol ng --relay 127.0.0.1:2223 --calls 500\n"
    "  mrload media --calls 1000 --own-relay --relay-cpu 0 --cpu 1    the floor: the smallest relay there can be\n"
    "  mrload media --calls 2500 --direct                        no relay: what this machine's generator can do\n"
    "  mrload setup --window 1 --total 5000                      each request waits for the reply\n"
    "  mrload memory --calls 2000 --pid $(pidof millrace)\n"
    "  mrload --demo                                             one call that you can watch\n"
    "  mrload --bare-relay --relay 127.0.0.1:7723                the smallest relay, until Ctrl-C";

// Everything as text or plain numbers first; what CLI11 cannot check becomes a value in finish().
struct Raw {
  std::string relay = "127.0.0.1:7722", local, protocol = "rtpproxy";
  int pid = 0, cpu = -1, relay_cpu = -1;
  double pps = 50, duration = 10, warm_up = 1, tick_us = 100;
  bool no_baseline = false, demo = false, bare_relay = false;
};

void add_relay(CLI::App& app, Raw& raw, Options& options) {
  app.add_option("--relay", raw.relay, "The relay's control address, ADDRESS:PORT (udp)")->capture_default_str();
  app.add_option("--protocol", raw.protocol, "What the relay speaks there")
      ->check(CLI::IsMember({"rtpproxy", "ng"}))
      ->capture_default_str();
  app.add_option("--pid", raw.pid, "The relay's process, to measure its processor time and memory")
      ->check(CLI::PositiveNumber);
  app.add_option("--local", raw.local,
                 "Address of the generator's own media sockets; default: the relay's, or the one that reaches it");
  app.add_option("--sockets", options.pairs, "Pairs of media sockets that the calls share")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--window", options.window, "Control requests outstanding")
      ->check(CLI::Range(1, 4'096))
      ->capture_default_str();
  app.add_option("--cpu", raw.cpu, "Pin the generator to this CPU")->check(CLI::Range(0, 1'023));
  app.add_flag("--own-relay", options.own_relay, "Start the bare relay and measure that");
  app.add_option("--relay-cpu", raw.relay_cpu, "Pin the bare relay to this CPU")->check(CLI::Range(0, 1'023));
  app.add_option("--json", options.json_file, "Write figures and conditions to this file");
}

void add_traffic(CLI::App& app, Raw& raw, Options& options) {
  app.add_option("--calls", options.traffic.calls, "Calls at a time")
      ->check(CLI::Range(1u, kMaxStreams / 2))
      ->capture_default_str();
  app.add_option("--pps", raw.pps, "Packets a second and side")
      ->check(CLI::Range(0.1, 100'000.0))
      ->capture_default_str();
  app.add_option("--duration", raw.duration, "Seconds that are measured")
      ->check(CLI::Range(0.1, 86'400.0))
      ->capture_default_str();
  app.add_option("--warm-up", raw.warm_up, "Seconds of media before that")
      ->check(CLI::Range(0.0, 600.0))
      ->capture_default_str();
  app.add_option("--payload", options.traffic.payload, "Bytes after the RTP header")
      ->check(CLI::Range(kMinPayload, kMaxPayload))
      ->capture_default_str();
  app.add_option("--tick", raw.tick_us,
                 "Microseconds; packets leave in groups as a network card delivers them, 0: one by one")
      ->check(CLI::Range(0.0, 10'000.0))
      ->capture_default_str();
}

std::expected<Options, UsageExit> mistake(const std::string& text) {
  return std::unexpected{UsageExit{2, fmt::format("mrload: {}\nmrload --help shows every option.\n", text)}};
}

std::expected<Options, UsageExit> finish(const Raw& raw, Options options) {
  const auto relay = net::Endpoint::parse(raw.relay);
  if (!relay || relay->port.value() == 0) {
    return mistake(fmt::format("--relay {}: not ADDRESS:PORT (numbers only; IPv6 as [::1]:7722)", raw.relay));
  }
  options.relay = *relay;
  options.protocol = raw.protocol == "ng" ? Protocol::ng : Protocol::rtpproxy;
  if (!raw.local.empty()) {
    const auto local = net::Address::parse(raw.local);
    if (!local) return mistake(fmt::format("--local {}: not an IP address", raw.local));
    options.local = *local;
  }
  if (raw.pid > 0) options.relay_pid = raw.pid;
  if (raw.cpu >= 0) options.cpu = raw.cpu;
  if (raw.relay_cpu >= 0) options.relay_cpu = raw.relay_cpu;
  options.baseline = !raw.no_baseline;
  options.traffic.per_side = raw.pps;
  options.traffic.duration = std::chrono::duration<double>{raw.duration};
  options.traffic.warm_up = std::chrono::duration<double>{raw.warm_up};
  options.traffic.tick = Nanoseconds{static_cast<std::int64_t>(raw.tick_us * 1'000)};
  if (options.direct && (options.own_relay || options.relay_pid))
    return mistake("--direct has no relay: without --own-relay and --pid");
  if (options.own_relay && options.relay_pid) return mistake("--own-relay knows its process: without --pid");
  if (options.own_relay && options.protocol == Protocol::ng)
    return mistake("the bare relay speaks the rtpproxy protocol alone");
  if (options.mode == Mode::memory && !options.own_relay && !options.relay_pid)
    return mistake("memory needs --pid of the relay");
  return options;
}

}  // namespace

std::expected<Options, UsageExit> parse_options(int argc, const char* const* argv) {
  Raw raw;
  Options options;
  CLI::App app{std::string{kAbout}, "mrload"};
  app.footer(std::string{kFooter});
  app.set_version_flag("--version", fmt::format("mrload {}", kVersion));
  app.add_flag("--demo", raw.demo, "One call of five seconds through the relay, shown as it runs");
  app.add_flag("--bare-relay", raw.bare_relay, "Be the smallest possible relay, with the rtpproxy protocol on --relay");
  app.add_option("--relay", raw.relay, "Of --demo and --bare-relay: the control address")->capture_default_str();
  app.add_option("--cpu", raw.cpu, "Pin to this CPU")->check(CLI::Range(0, 1'023));
  app.add_option("--json", options.json_file, "Write figures and conditions to this file");

  auto* media = app.add_subcommand("media", "Loss, delay and processor time of calls with media");
  add_relay(*media, raw, options);
  add_traffic(*media, raw, options);
  media->add_flag("--direct", options.direct, "No relay: the two sides send to one another");
  media->add_flag("--no-baseline", raw.no_baseline,
                  "Skip the second of direct traffic that the added delay is counted from");
  auto* setup = app.add_subcommand("setup", "Call set-ups a second: offer, answer, later delete");
  add_relay(*setup, raw, options);
  setup->add_option("--total", options.total, "Calls in all")
      ->check(CLI::Range(1u, 10'000'000u))
      ->capture_default_str();
  setup->add_option("--alive", options.alive, "Calls at a time, at most")
      ->check(CLI::Range(1u, 1'000'000u))
      ->capture_default_str();
  auto* memory = app.add_subcommand("memory", "Memory a call: resident memory without calls and with them");
  add_relay(*memory, raw, options);
  add_traffic(*memory, raw, options);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out, err;
    const int code = app.exit(error, out, err);
    return std::unexpected{UsageExit{code == 0 ? 0 : 2, out.str() + err.str()}};
  }
  const int modes = raw.demo + raw.bare_relay + media->parsed() + setup->parsed() + memory->parsed();
  if (modes != 1) return mistake("one of media, setup, memory, --demo or --bare-relay is wanted");
  options.mode = raw.demo          ? Mode::demo
                 : raw.bare_relay  ? Mode::bare_relay
                 : media->parsed() ? Mode::media
                 : setup->parsed() ? Mode::setup
                                   : Mode::memory;
  return finish(raw, options);
}

}  // namespace millrace::mrload
