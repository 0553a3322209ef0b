#include "app/settings.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "app/dropin_settings.hpp"
#include "config/manual.hpp"
#include "control/rtpproxy/settings.hpp"
#include "flow/settings.hpp"
#include "session/settings.hpp"

namespace millrace::app {
namespace {

TEST(Settings, every_declaration_is_sound) {
  EXPECT_EQ(config::declaration_faults(all_sections()), std::vector<std::string>{});
}

// ctest runs in the root of the repository.
TEST(Settings, the_reference_page_is_what_the_declarations_say) {
  std::ifstream file{"docs/settings.md"};
  std::ostringstream page;
  page << file.rdbuf();
  EXPECT_EQ(page.str(), config::reference_page(all_sections()))
      << "write it anew: millrace settings-reference > docs/settings.md";
}

TEST(Settings, what_is_in_effect_can_be_read_back) {
  const auto settings =
      read_settings({}, {"session.idle_timeout=90s", "rtpproxy.listen=udp:127.0.0.1:1,tcp:127.0.0.1:2"});
  ASSERT_TRUE(settings) << settings.error();
  const auto text = config::effective(all_sections(), *settings);
  const auto document = config::Document::from_text(text, "effective");
  ASSERT_TRUE(document) << document.error().to_string();
  const auto again = config::read_all(*document, all_sections());
  ASSERT_TRUE(again);
  EXPECT_TRUE(config::differences(all_sections(), *settings, *again).empty());
}

TEST(Settings, mistakes_name_the_key_and_what_is_allowed) {
  const auto settings = read_settings({}, {"latching.policy=trusting", "sesion.idle_timeout=1s"});
  ASSERT_FALSE(settings);
  EXPECT_NE(settings.error().find("latching.policy"), std::string::npos) << settings.error();
  EXPECT_NE(settings.error().find("session"), std::string::npos) << settings.error();
}

TEST(DropInSettings, options_become_settings_and_set_has_the_last_word) {
  DropInOptions options;
  options.control_sockets = {"udp:127.0.0.1:7722"};
  options.idle_ttl = 30;
  options.tos = 0;
  options.bridging = true;
  options.set = {"session.idle_timeout=45s"};
  const auto settings = read_settings({}, to_assignments(options));
  ASSERT_TRUE(settings) << settings.error();
  const auto& session = settings->get(session::Settings::schema);
  EXPECT_EQ(session.idle_timeout.count(), 45);
  EXPECT_EQ(session.setup_timeout.count(), 30);
  EXPECT_TRUE(session.asymmetric) << "parties across a bridge are asymmetric unless --bridge_symmetric";
  EXPECT_EQ(settings->get(flow::RelaySettings::schema).tos, 0);
  EXPECT_EQ(settings->get(flow::LatchingSettings::schema).policy, flow::LatchPolicy::reference);
  EXPECT_EQ(settings->get(control::rtpproxy::Settings::schema).listen, options.control_sockets);
}

}  // namespace
}  // namespace millrace::app
