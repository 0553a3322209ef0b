// The program under the name `rtpproxy`: the reference's command line, options by default, and exit codes.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <span>

#include <fmt/format.h>

#include "app/dropin_options.hpp"
#include "app/dropin_settings.hpp"
#include "app/node.hpp"
#include "app/process.hpp"
#include "app/settings.hpp"
#include "app/start_log.hpp"
#include "base/version.hpp"
#include "control/rtpproxy/features.hpp"
#include "flow/settings.hpp"

namespace {

using namespace millrace;
using app::DropInOptions;

int fail(const std::string& sentence) {
  fmt::print(stderr, "rtpproxy: {}\n", sentence);
  return EXIT_FAILURE;
}

int answer(DropInOptions::Action action) {
  if (action == DropInOptions::Action::show_version) {
    fmt::print("millrace {} as rtpproxy\n", kVersion);
  } else if (action == DropInOptions::Action::show_clock) {
    fmt::print("CLOCK_BOOTTIME\n");
  } else {
    fmt::print("Basic version: {}\n", control::rtpproxy::kBaseVersion);
    for (const auto& feature : control::rtpproxy::features()) {
      fmt::print("Extension {}: {}\n", feature.date, feature.promise);
    }
  }
  return EXIT_SUCCESS;
}

std::vector<std::string> notes_of(const DropInOptions& options, const config::Settings& settings) {
  auto notes = options.without_effect;
  if (settings.get(flow::LatchingSettings::schema).policy == flow::LatchPolicy::reference) {
    notes.emplace_back(
        "media sources are trusted as rtpproxy does; `safe` also keeps strangers from taking a call over: "
        "--set latching.policy=safe");
  }
  if (::geteuid() == 0 && !options.root_allowed && options.user.empty()) {
    notes.emplace_back("running as root; -u USER gives that up after the start, -F says that it is meant");
  }
  return notes;
}

void apply_limits(const DropInOptions& options, std::vector<std::string>& notes) {
  const auto note = [&notes](const std::expected<void, SysError>& done) {
    if (!done) notes.push_back(done.error().message());
  };
  if (!options.open_files) note(app::set_open_files(std::nullopt));
  if (options.nice) note(app::set_nice(*options.nice));
  if (!options.scheduler.empty()) note(app::set_scheduler(options.scheduler));
}

int run(const DropInOptions& options) {
  if (::geteuid() == 0 && options.refuses_root()) {
    return fail("running as root with a udp control socket: give a user with -u, or -F if it is meant");
  }
  const auto identity = app::find_identity(options.user, options.group);
  if (!identity) return fail("-u: " + identity.error());
  if (options.open_files) {
    if (const auto set = app::set_open_files(options.open_files); !set) return fail("-L: " + set.error().message());
  }
  auto settings = app::read_settings({}, app::to_assignments(options));
  if (!settings) return fail(settings.error());

  app::StartReport report;
  if (!options.foreground) {
    auto daemon = app::daemonize({.keep_directory = options.keep_directory});
    if (!daemon) return fail(daemon.error().message());
    report = std::move(*daemon);
  }
  auto notes = notes_of(options, *settings);
  apply_limits(options, notes);
  app::prepare_signals();
  const auto log = app::start_log(*settings);
  if (!log) return fail(log.error());

  app::NodeOptions node_options{.program = "rtpproxy",
                                .signals = app::SignalTable::rtpproxy,
                                .listen = {.resolve_names = !options.no_resolve, .unix_mode = options.socket_mode},
                                .interfaces = options.interfaces,
                                .admin_required = false,
                                .notes = std::move(notes),
                                .reload = {}};
  if (identity->user) node_options.listen.unix_owner = *identity->user;
  if (identity->group) node_options.listen.unix_group = *identity->group;
  auto node = app::Node::open(std::move(*settings), std::move(node_options), **log);
  if (!node) return fail(node.error());
  const auto pid_file = app::PidFile::create(options.pid_file);
  if (!pid_file) return fail(pid_file.error().message());
  if (const auto became = app::become(*identity); !became) return fail("-u: " + became.error().message());
  report.ready();
  if (!options.foreground && !options.no_redirect) app::release_terminal();
  return (*node)->run();
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = app::parse_dropin_options({argv, static_cast<std::size_t>(argc)});
  if (!options) {
    fmt::print(stderr, "rtpproxy: {}\n{}", options.error(), app::kDropInUsage);
    return EXIT_FAILURE;
  }
  if (options->action != DropInOptions::Action::run) return answer(options->action);
  return run(*options);
}
