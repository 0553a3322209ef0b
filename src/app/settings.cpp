#include "app/settings.hpp"

#include "access/settings.hpp"
#include "control/admin/settings.hpp"
#include "control/grpc/settings.hpp"
#include "control/rtpproxy/settings.hpp"
#include "dataplane/socket/settings.hpp"
#include "events/settings.hpp"
#include "flow/settings.hpp"
#include "net/settings.hpp"
#include "observe/settings.hpp"
#include "session/settings.hpp"

namespace millrace::app {

const config::Sections& all_sections() {
  static const config::Sections sections{
      config::describe(net::Settings::schema),
      config::describe(net::InterfaceSettings::schema),
      config::describe(flow::RelaySettings::schema),
      config::describe(flow::LatchingSettings::schema),
      config::describe(flow::LimitSettings::schema),
      config::describe(session::Settings::schema),
      config::describe(control::rtpproxy::Settings::schema),
      config::describe(control::grpc::Settings::schema),
      config::describe(access::Settings::schema),
      config::describe(access::IdentitySettings::schema),
      config::describe(access::QuotaSettings::schema),
      config::describe(access::AuditSettings::schema),
      config::describe(events::Settings::schema),
      config::describe(control::admin::Settings::schema),
      config::describe(dataplane::Settings::schema),
      config::describe(observe::Settings::schema),
      config::describe(ProcessSettings::schema),
  };
  return sections;
}

std::expected<config::Settings, std::string> read_settings(const std::string& path,
                                                           const std::vector<std::string>& overrides) {
  config::Document document;
  if (!path.empty()) {
    auto read = config::Document::from_file(path);
    if (!read) return std::unexpected{read.error().to_string()};
    document = std::move(*read);
  }
  for (const auto& assignment : overrides) {
    if (const auto mistake = document.set(assignment)) return std::unexpected{mistake->to_string()};
  }
  auto settings = config::read_all(document, all_sections());
  if (settings) return std::move(*settings);
  std::string lines;
  for (const auto& mistake : settings.error()) lines += (lines.empty() ? "" : "\n") + mistake.to_string();
  return std::unexpected{lines};
}

}  // namespace millrace::app
