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

// What a subcommand does, on the admin socket and over the gRPC API.
struct Command {
  std::function<int(const Options&)> here;
  std::function<int(const Options&)> over_api;
};

int refuse_over_api(const Options&) {
  fmt::print(stderr, "mrctl: only the daemon's own machine may ask for that: use the admin socket, without --grpc\n");
  return kBadUse;
}

CLI::App* add(CLI::App& program, Command& chosen, const std::string& name, const std::string& help, Command command) {
  auto* subcommand = program.add_subcommand(name, help);
  subcommand->callback([&chosen, command = std::move(command)] { chosen = command; });
  return subcommand;
}

void add_connection(CLI::App& program, Options& options) {
  program.add_option("--socket", options.socket, "The daemon's admin socket")->capture_default_str();
  program.add_flag("--json", options.as_json, "The answer as JSON, for scripts");
  program.add_option("--grpc", options.api.server, "Ask the gRPC API there instead: HOST:PORT");
  program.add_option("--token", options.api.token, "Bearer token for it")->envname(kTokenVariable);
  program.add_option("--token-file", options.token_file, "File with the token: a command line can be seen by others")
      ->check(CLI::ExistingFile);
  program.add_flag("--tls", options.api.tls, "TLS, with the system's authorities");
  program.add_option("--tls-ca", options.api.ca_file, "TLS, with these authorities (PEM)");
  program.add_option("--tls-certificate", options.api.certificate_file, "Certificate of this client (PEM)");
  program.add_option("--tls-key", options.api.key_file, "Its key (PEM)");
}

void add_questions(CLI::App& program, Options& options, Command& chosen) {
  add(program, chosen, "status", "What runs, where it listens, how much it carries",
      {.here = [](const Options& o) { return run(o, {{"command", "status"}}, text(mrctl::render_status)); },
       .over_api = [](const Options& o) { return mrctl::api_status(o.api); }});
  const auto list = [](const Options& o) {
    return run(o, {{"command", "calls"}, {"limit", o.limit}, {"contains", o.contains}}, text(mrctl::render_calls));
  };
  auto* calls = add(program, chosen, "calls", "The calls, oldest first, each with a verdict",
                    {.here = list, .over_api = [](const Options& o) {
                       return mrctl::api_calls(o.api, o.contains, static_cast<std::size_t>(o.limit));
                     }});
  calls->add_option("--limit", options.limit, "How many at most")->check(CLI::Range(1, 1000))->capture_default_str();
  calls->add_option("--contains", options.contains, "Only calls whose call-id contains this text");
  const auto one = [](const Options& o) {
    return run(o, {{"command", "call"}, {"id", o.call}}, text(mrctl::render_call));
  };
  add(program, chosen, "call", "One call: legs, addresses, how they were learned, counters, loss, jitter",
      {.here = one, .over_api = [](const Options& o) { return mrctl::api_call(o.api, o.call); }})
      ->add_option("ID", options.call, "The call-id")
      ->required();
  add(program, chosen, "doctor", "Check what usually goes wrong on a host, and how to mend it",
      {.here = [](const Options& o) { return run(o, {{"command", "doctor"}}, show_findings); },
       .over_api = refuse_over_api});
}

void add_orders(CLI::App& program, Options& options, Command& chosen) {
  add(program, chosen, "drain", "Take no new calls, end with the last one",
      {.here = [](const Options& o) { return run(o, {{"command", "drain"}}, show_drain); },
       .over_api = [](const Options& o) { return mrctl::api_drain(o.api); }});
  const auto set = [](const Options& o) {
    return run(o, {{"command", "log"}, {"level", o.level}, {"call", o.call}},
               [](const json::object&) { return EXIT_SUCCESS; });
  };
  auto* log = add(program, chosen, "log", "Change what is logged, for all or for one call",
                  {.here = set, .over_api = refuse_over_api});
  log->add_option("LEVEL", options.level, "debug, info, warning, error, critical; or default, to undo a call's")
      ->required();
  log->add_option("CALL", options.call, "Only the lines of this call-id");
}

void add_api(CLI::App& program, Options& options, Command& chosen) {
  const auto follow = [](const Options& o) { return mrctl::api_watch(o.api, o.watch); };
  auto* watch = add(program, chosen, "watch", "Follow what happens to calls and sessions, over the gRPC API",
                    {.here = follow, .over_api = follow});
  watch->add_option("ID", options.watch.sessions, "Only these sessions");
  watch->add_flag("--stats", options.watch.statistics, "Statistics updates, too");
  watch->add_flag("!--sessions-only", options.watch.calls, "No calls of the text protocol");
  watch->add_option("--count", options.watch.count, "End after so many events");
  const auto draw = [](const Options& o) { return mrctl::run_token(o.name, o.role); };
  auto* token = add(program, chosen, "token", "A new token for the gRPC API, and the settings that make it known",
                    {.here = draw, .over_api = draw});
  token->add_option("NAME", options.name, "Whose: for limits and the audit log")->required();
  token->add_option("ROLE", options.role, "viewer, operator or admin")->capture_default_str();
}

bool read_token(Options& options) {
  std::ifstream file{options.token_file};
  return static_cast<bool>(file >> options.api.token);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  Command chosen;
  CLI::App program{"Asks a running Millrace, and tells it what to do."};
  program.set_version_flag("--version", fmt::format("mrctl {}", kVersion));
  program.require_subcommand(1);
  program.fallthrough();
  add_connection(program, options);
  add_questions(program, options, chosen);
  add_orders(program, options, chosen);
  add_api(program, options, chosen);
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
  return program.count("--grpc") > 0 ? chosen.over_api(options) : chosen.here(options);
}
