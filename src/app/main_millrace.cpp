// The program under its own name: a settings file, --set over it, and questions about both.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "app/node.hpp"
#include "app/process.hpp"
#include "app/settings.hpp"
#include "app/start_log.hpp"
#include "base/version.hpp"
#include "config/manual.hpp"

namespace {

using namespace millrace;

constexpr int kBadSettings = 2;  // nothing was started

struct Arguments {
  std::string file;
  std::vector<std::string> set;
  bool daemon = false;
};

int fail(int status, const std::string& text) {
  fmt::print(stderr, "{}\n", text);
  return status;
}

std::expected<config::Settings, std::string> read(const Arguments& arguments) {
  return app::read_settings(arguments.file, arguments.set);
}

int check_config(const Arguments& arguments) {
  const auto settings = read(arguments);
  if (!settings) return fail(kBadSettings, settings.error());
  const auto process = settings->get(app::ProcessSettings::schema);
  if (const auto known = app::find_identity(process.user, process.group); !known) {
    return fail(kBadSettings, "process: " + known.error());
  }
  if (const auto checked = app::Node::check(*settings); !checked) return fail(kBadSettings, checked.error());
  fmt::print("{}", config::effective(app::all_sections(), *settings));
  return EXIT_SUCCESS;
}

int run(const Arguments& arguments) {
  auto settings = read(arguments);
  if (!settings) return fail(kBadSettings, settings.error());
  const auto process = settings->get(app::ProcessSettings::schema);
  const auto identity = app::find_identity(process.user, process.group);
  if (!identity) return fail(kBadSettings, "process: " + identity.error());

  // A daemon goes to /, and the file is read again on a signal.
  std::error_code ignored;  // it has just been read
  auto again = arguments;
  if (!again.file.empty()) again.file = std::filesystem::absolute(again.file, ignored);

  app::StartReport report;
  if (arguments.daemon) {
    auto started = app::daemonize({});
    if (!started) return fail(EXIT_FAILURE, started.error().message());
    report = std::move(*started);
  }
  std::vector<std::string> notes;
  if (const auto raised = app::set_open_files(std::nullopt); !raised) notes.push_back(raised.error().message());
  app::prepare_signals();
  const auto log = app::start_log(*settings);
  if (!log) return fail(kBadSettings, log.error());

  app::NodeOptions options{.program = "millrace",
                           .signals = app::SignalTable::millrace,
                           .listen = {},
                           .interfaces = {},
                           .notes = std::move(notes),
                           .reload = [again] { return read(again); }};
  if (identity->user) options.listen.unix_owner = *identity->user;
  if (identity->group) options.listen.unix_group = *identity->group;
  auto node = app::Node::open(std::move(*settings), std::move(options), **log);
  if (!node) return fail(kBadSettings, node.error());
  const auto pid_file = app::PidFile::create(process.pid_file);
  if (!pid_file) return fail(EXIT_FAILURE, pid_file.error().message());
  if (const auto became = app::become(*identity); !became) return fail(EXIT_FAILURE, became.error().message());
  report.ready();
  if (arguments.daemon) app::release_terminal();
  return (*node)->run();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App program{"Millrace, an RTP proxy: carries the media of calls that a SIP server decides about."};
  Arguments arguments;
  program.set_version_flag("--version", fmt::format("millrace {}", kVersion));
  program.add_option("-c,--config", arguments.file, "Settings file (TOML)")->check(CLI::ExistingFile);
  program.add_option("--set", arguments.set, "SECTION.KEY=VALUE: a setting over the file's, may be repeated")
      ->allow_extra_args(false);
  program.add_flag("-d,--daemon", arguments.daemon, "Go to the background once it is ready");
  const auto* check =
      program.add_subcommand("check-config", "Read the settings, say what is wrong or what is in effect");
  const auto* reference = program.add_subcommand("settings-reference", "Print the page of all settings (Markdown)");
  program.require_subcommand(0, 1);
  program.fallthrough();
  program.footer("Settings:\n" + config::help_text(app::all_sections()));
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = program.exit(error);
    return status == 0 ? EXIT_SUCCESS : kBadSettings;
  }
  if (reference->parsed()) {
    fmt::print("{}", config::reference_page(app::all_sections()));
    return EXIT_SUCCESS;
  }
  return check->parsed() ? check_config(arguments) : run(arguments);
}
