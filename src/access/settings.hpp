#pragma once
// Who may command, from where, and what may be named.

#include <cstdint>
#include <string>
#include <vector>

#include "config/schema.hpp"

namespace millrace::access {

struct Settings {
  std::vector<std::string> peers{};
  std::string certificate_role = "operator";
  std::vector<std::string> allow_destinations{};
  std::vector<std::string> deny_destinations{};
  std::vector<std::string> listen_addresses{};

  static constexpr auto schema = config::section(
      "security", "Who may use the gRPC API, and what its sessions may reach.",
      config::field("peers", &Settings::peers, "",
                    "Networks that may use the API, such as 10.0.0.0/8 or 2001:db8::1; empty: any", config::live),
      config::field("certificate_role", &Settings::certificate_role, "none|viewer|operator|admin",
                    "Role of a verified client certificate that no [[identity]] names", config::live),
      config::field("allow_destinations", &Settings::allow_destinations, "",
                    "Networks that sessions may send to, and no others; empty: all but those that are dangerous "
                    "(loopback unless the session's forward address is loopback too, link-local, multicast, cloud "
                    "metadata)",
                    config::live),
      config::field("deny_destinations", &Settings::deny_destinations, "",
                    "Networks that sessions may not send to, also when they are allowed above", config::live),
      config::field("listen_addresses", &Settings::listen_addresses, "",
                    "Networks that a session's local addresses must be in; empty: any address of the host",
                    config::live));
};

struct IdentitySettings {
  std::string name{};
  std::string role = "viewer";
  std::string token_sha256{};
  std::string certificate{};

  static constexpr auto schema = config::repeated(
      "identity", "Somebody who may use the gRPC API. `mrctl token` makes a token and the lines to put here.",
      config::field("name", &IdentitySettings::name, "", "Name, for limits and the audit log", config::live),
      config::field("role", &IdentitySettings::role, "viewer|operator|admin",
                    "viewer sees; operator makes, changes and ends sessions too; admin may drain the node as well",
                    config::live),
      config::field("token_sha256", &IdentitySettings::token_sha256, "",
                    "SHA-256 of the bearer token, in hexadecimal; empty: has no token", config::live),
      config::field("certificate", &IdentitySettings::certificate, "",
                    "Subject alternative name or common name of the client certificate; empty: has none",
                    config::live));
};

struct QuotaSettings {
  std::uint32_t commands_per_second = 0;
  static constexpr auto schema =
      config::section("quota", "How busy one identity may keep the node; of the text protocol, one address.",
                      config::field("commands_per_second", &QuotaSettings::commands_per_second, "",
                                    "Commands of one identity; as many may come at once. 0: no limit"));
};

struct AuditSettings {
  std::string file{};
  bool journal = false;
  bool required = false;
  config::Bytes rotate_size{64ULL << 20U};
  std::uint16_t keep = 8;

  static constexpr auto schema = config::section(
      "audit", "One JSON line for each command that changes something, and for each one that is refused.",
      config::field("file", &AuditSettings::file, "", "File to append to; empty: none"),
      config::field("journal", &AuditSettings::journal, "", "To the system's journal, too"),
      config::field("required", &AuditSettings::required, "",
                    "Refuse commands that change something while their lines cannot be written"),
      config::field("rotate_size", &AuditSettings::rotate_size, "4KiB..", "Size at which a new file is begun"),
      config::field("keep", &AuditSettings::keep, "1..1000", "Old files that are kept, as FILE.1, FILE.2, …"));
};

}  // namespace millrace::access
