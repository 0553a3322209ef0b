#pragma once
// Where the gRPC API listens and how it is protected.

#include <cstdint>
#include <string>

#include "config/schema.hpp"

namespace millrace::control::grpc {

struct Settings {
  std::string listen = "127.0.0.1:50051";
  std::string health_listen;
  std::string tls_certificate;
  std::string tls_key;
  std::string tls_client_ca;
  bool insecure = false;
  config::Bytes max_message{4ULL << 20U};

  static constexpr auto schema = config::section(
      "grpc", "The gRPC API for controllers.",
      config::field("listen", &Settings::listen, "", "Address and port, such as 0.0.0.0:50051; empty: no gRPC"),
      config::field("health_listen", &Settings::health_listen, "",
                    "Address and port that answers the standard health check alone, without TLS; empty: none"),
      config::field("tls_certificate", &Settings::tls_certificate, "",
                    "Certificate chain (PEM); read again when the file changes. Empty: no TLS"),
      config::field("tls_key", &Settings::tls_key, "", "Its private key (PEM)"),
      config::field("tls_client_ca", &Settings::tls_client_ca, "",
                    "Authorities (PEM) whose client certificates are asked for and verified; empty: none are"),
      config::field("insecure", &Settings::insecure, "",
                    "Listen beyond loopback although anybody who reaches the port could command the node"),
      config::field("max_message", &Settings::max_message, "4KiB..64MiB", "Longest request that is taken"));
};

}  // namespace millrace::control::grpc
