#pragma once
// Where the text protocol is spoken, and who may be told of time-outs.

#include <string>
#include <vector>

#include "config/schema.hpp"

namespace millrace::control::rtpproxy {

struct Settings {
  std::vector<std::string> listen{"udp:127.0.0.1:7722"};
  std::vector<std::string> notify;
  std::string socket_group;

  static constexpr auto schema =
      config::section("rtpproxy", "The text protocol that the rtpproxy modules of OpenSIPS and Kamailio speak.",
                      config::field("listen", &Settings::listen, config::kNotEmpty,
                                    "Control sockets: udp:, udp6:, tcp: or tcp6: HOST:PORT, unix: or cunix: PATH"),
                      config::field("notify", &Settings::notify, config::kNotEmpty,
                                    "Targets that commands may name to hear of time-outs: unix:PATH, tcp:HOST:PORT, "
                                    "tcp:%%CC_SELF%%:PORT"),
                      config::field("socket_group", &Settings::socket_group, "",
                                    "Group that may use the Unix sockets, such as the SIP server's; empty: as the "
                                    "umask says"));
};

}  // namespace millrace::control::rtpproxy
