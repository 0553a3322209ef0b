// mrload: the load generator. Exit codes: 0 done, 1 the measurement or the demo failed, 2 wrong options.

#include <cstdio>

#include "mrload/affinity.hpp"
#include "mrload/bare_relay.hpp"
#include "mrload/modes.hpp"

namespace millrace::mrload {
namespace {

int failed(const std::string& why) {
  std::fprintf(stderr, "mrload: %s\n", why.c_str());
  return 1;
}

int be_bare_relay(const Options& options) {
  raise_descriptor_limit();
  if (options.cpu) {
    if (auto pinned = pin_to(*options.cpu); !pinned) return failed(pinned.error());
  }
  auto relay = BareRelay::open(options.relay);
  if (!relay) return failed(relay.error().message());
  std::printf("bare relay: rtpproxy protocol on udp %s, until Ctrl-C\n", relay->control().to_string().c_str());
  std::fflush(stdout);
  while (true) relay->turn(std::nullopt);
}

int publish(const std::expected<Report, std::string>& report, const std::string& json_file) {
  if (!report) return failed(report.error());
  const auto published = report->publish(json_file);
  return published ? 0 : failed(published.error());
}

int run(const Options& options) {
  switch (options.mode) {
    case Mode::media: return publish(run_media(options), options.json_file);
    case Mode::setup: return publish(run_setup(options), options.json_file);
    case Mode::memory: return publish(run_memory(options), options.json_file);
    case Mode::bare_relay: return be_bare_relay(options);
    case Mode::demo: break;
  }
  const auto shown = run_demo(options);
  return shown ? 0 : failed(shown.error());
}

}  // namespace
}  // namespace millrace::mrload

int main(int argc, char** argv) {
  const auto options = millrace::mrload::parse_options(argc, argv);
  if (!options) {
    std::fputs(options.error().text.c_str(), options.error().code == 0 ? stdout : stderr);
    return options.error().code;
  }
  return millrace::mrload::run(*options);
}
