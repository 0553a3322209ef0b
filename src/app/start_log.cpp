#include "app/start_log.hpp"

#include <cstdlib>

#include "observe/log_target.hpp"
#include "observe/settings.hpp"

namespace millrace::app {

std::expected<std::unique_ptr<observe::Log>, std::string> start_log(const config::Settings& settings) {
  const auto& log = settings.get(observe::Settings::schema);
  const observe::LineStyle style{
      .format = log.format,
      .with_time = true,
      .relative_to = log.format == observe::LineFormat::rtpproxy
                         ? observe::relative_start(std::getenv("RTPP_LOG_TFORM"), std::getenv("RTPP_LOG_TSTART"))
                         : std::nullopt};
  auto target = observe::open_target(log, style);
  if (!target) return std::unexpected{"log: " + target.error().message()};
  auto started = std::make_unique<observe::Log>(std::move(*target), log.level);
  started->start();
  return started;
}

}  // namespace millrace::app
