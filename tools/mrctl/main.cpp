// mrctl: asks a running daemon how it is, what its calls do and what should be mended; tells it to drain or to log.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <functional>

#include <fmt/format.h>

#include "base/version.hpp"
#include "mrctl/api.hpp"
#include "mrctl/client.hpp"
#include "mrctl/render.hpp"
#include "mrctl/token.hpp"

namespace {

namespace json = boost::json;
using namespace millrace;

constexpr int kBadUse = 2;

struct Options {
  std::string socket = "/run/millrace/admin.sock";
  bool as_json = false;
  std::string call, contains, level;
  std::int64_t limit = 50;
  std::string name, role = "operator";
  mrctl::ApiOptions api;
  std::string token_file;
  mrctl::WatchOptions watch;
};

constexpr const char* kTokenVariable = "MILLRACE_TOKEN";

// Prints the answer, or why there is none; the exit status.
int run(const Options& options, const json::object& request, const std::function<int(const json::object&)>& show) {
  const auto result = mrctl::ask(options.socket, request);
  if (!result) {
    fmt::print(stderr, "mrctl: {}\n", result.error());
    return EXIT_FAILURE;
  }
  if (!options.as_json) return show(*result);
  fmt::print("{}\n", json::serialize(*result));
  return EXIT_SUCCESS;
}

std::function<int(const json::object&)> text(std::string (*render)(const json::object&)) {
  return [render](const json::object& result) {
    fmt::print("{}", render(result));
    return EXIT_SUCCESS;
  };
}

int show_findings(const json::object& findings) {
  fmt::print("{}", mrctl::render_findings(findings, ::isatty(STDOUT_FILENO) == 1));
  return mrctl::has_problem(findings) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int show_drain(const json::object& result) {
  fmt::print("no new calls from now on; {} connections go on, the daemon ends with the last\n",
             result.at("connections").to_number<std::uint64_t>());
  return EXIT_SUCCESS;
}

bool read_token(Options& options) {
  std::ifstream file{options.token_file};
  return static_cast<bool>(file >> options.api.token);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App program{"Asks a running Millrace, and tells it what to do."};
  program.set_version_flag("--version", fmt::format("mrctl {}", kVersion));
  program.add_option("--socket", options.socket, "The daemon's admin socket")->capture_default_str();
  program.add_flag("--json", options.as_json, "The answer as JSON, for scripts");
  const auto* grpc = program.add_option("--grpc", options.api.server, "Ask the gRPC API there instead: HOST:PORT");
  program.add_option("--token", options.api.token, "Bearer token for it")->envname(kTokenVariable);
  program.add_option("--token-file", options.token_file, "File with the token: a command line can be seen by others")
      ->check(CLI::ExistingFile);
  program.add_flag("--tls", options.api.tls, "TLS, with the system's authorities");
  program.add_option("--tls-ca", options.api.ca_file, "TLS, with these authorities (PEM)");
  program.add_option("--tls-certificate", options.api.certificate_file, "Certificate of this client (PEM)");
  program.add_option("--tls-key", options.api.key_file, "Its key (PEM)");
  program.require_subcommand(1);
  program.fallthrough();

  const auto* status = program.add_subcommand("status", "What runs, where it listens, how much it carries");
  auto* calls = program.add_subcommand("calls", "The calls, oldest first, each with a verdict");
  calls->add_option("--limit", options.limit, "How many at most")->check(CLI::Range(1, 1000))->capture_default_str();
  calls->add_option("--contains", options.contains, "Only calls whose call-id contains this text");
  auto* call =
      program.add_subcommand("call", "One call: legs, addresses, how they were learned, counters, loss, jitter");
  call->add_option("ID", options.call, "The call-id")->required();
  const auto* drain = program.add_subcommand("drain", "Take no new calls, end with the last one");
  const auto* doctor = program.add_subcommand("doctor", "Check what usually goes wrong on a host, and how to mend it");
  auto* log = program.add_subcommand("log", "Change what is logged, for all or for one call");
  log->add_option("LEVEL", options.level, "debug, info, warning, error, critical; or default, to undo a call's")
      ->required();
  log->add_option("CALL", options.call, "Only the lines of this call-id");
  auto* watch = program.add_subcommand("watch", "Follow what happens to calls and sessions, over the gRPC API");
  watch->add_option("ID", options.watch.sessions, "Only these sessions");
  watch->add_flag("--stats", options.watch.statistics, "Statistics updates, too");
  watch->add_flag("!--sessions-only", options.watch.calls, "No calls of the text protocol");
  watch->add_option("--count", options.watch.count, "End after so many events");
  auto* token = program.add_subcommand("token", "A new token for the gRPC API, and the settings that make it known");
  token->add_option("NAME", options.name, "Whose: for limits and the audit log")->required();
  token->add_option("ROLE", options.role, "viewer, operator or admin")->capture_default_str();
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? EXIT_SUCCESS : kBadUse;
  }
  options.api.as_json = options.as_json;
  if (!options.token_file.empty() && !read_token(options)) {
    fmt::print(stderr, "mrctl: no token in {}\n", options.token_file);
    return kBadUse;
  }
  if (watch->parsed()) return mrctl::api_watch(options.api, options.watch);
  if (*grpc) {
    if (status->parsed()) return mrctl::api_status(options.api);
    if (calls->parsed()) {
      return mrctl::api_calls(options.api, options.contains, static_cast<std::size_t>(options.limit));
    }
    if (call->parsed()) return mrctl::api_call(options.api, options.call);
    if (drain->parsed()) return mrctl::api_drain(options.api);
    fmt::print(stderr, "mrctl: only the daemon's own machine may ask for that: use the admin socket, without --grpc\n");
    return kBadUse;
  }

  if (token->parsed()) return mrctl::run_token(options.name, options.role);
  if (status->parsed()) return run(options, {{"command", "status"}}, text(mrctl::render_status));
  if (calls->parsed()) {
    return run(options, {{"command", "calls"}, {"limit", options.limit}, {"contains", options.contains}},
               text(mrctl::render_calls));
  }
  if (call->parsed()) return run(options, {{"command", "call"}, {"id", options.call}}, text(mrctl::render_call));
  if (drain->parsed()) return run(options, {{"command", "drain"}}, show_drain);
  if (doctor->parsed()) return run(options, {{"command", "doctor"}}, show_findings);
  return run(options, {{"command", "log"}, {"level", options.level}, {"call", options.call}},
             [](const json::object&) { return EXIT_SUCCESS; });
}
