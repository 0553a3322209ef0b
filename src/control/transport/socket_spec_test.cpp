#include "control/transport/socket_spec.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace millrace::control::transport {
namespace {

struct Case {
  std::string_view text;
  std::string_view shown;  // empty: refused
};

constexpr std::array kCases{
    Case{"udp:127.0.0.1:7722", "udp:127.0.0.1:7722"},
    Case{"udp:127.0.0.1", "udp:127.0.0.1:22222"},
    Case{"udp:*:7722", "udp:*:7722"},
    Case{"udp6:::1:5000", "udp6:[::1]:5000"},
    Case{"udp6:[::1]:5000", "udp6:[::1]:5000"},
    Case{"tcp:localhost:0", "tcp:localhost:0"},
    Case{"tcp6:::1:5000", "tcp6:[::1]:5000"},
    Case{"unix:/run/a.sock", "unix:/run/a.sock"},
    Case{"/run/a.sock", "unix:/run/a.sock"},
    Case{"cunix:/run/a.sock", "cunix:/run/a.sock"},
    Case{"stdio:", "stdio:"},
    Case{"stdioc:", "stdioc:"},
    Case{"systemd:", "systemd:"},
    Case{"udp:", ""},
    Case{"udp::7722", ""},
    Case{"udp:127.0.0.1:http", ""},
    Case{"udp:127.0.0.1:65536", ""},
    Case{"udp:127.0.0.1:-1", ""},
    Case{"unix:", ""},
    Case{"", ""},
};

TEST(SocketSpec, reads_every_kind_and_refuses_what_names_nothing) {
  for (const Case& c : kCases) {
    const auto spec = parse_socket_spec(c.text);
    EXPECT_EQ(spec ? spec->to_string() : "", c.shown) << c.text;
  }
}

TEST(SocketSpec, a_path_longer_than_the_kernel_takes_is_refused_with_the_limit) {
  const auto spec = parse_socket_spec("unix:/" + std::string(107, 'x'));
  ASSERT_FALSE(spec);
  EXPECT_NE(spec.error().find("107 bytes"), std::string::npos) << spec.error();
  EXPECT_TRUE(parse_socket_spec("unix:/" + std::string(106, 'x')));
}

}  // namespace
}  // namespace millrace::control::transport
