#pragma once
// The command line under the drop-in name `rtpproxy`: every option of the reference with its default and its checks.
// Parsing only: nothing is opened, started or looked up but host names in -l, -6 and -A.

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "net/port_pool.hpp"

namespace millrace::app {

struct DropInOptions {
  enum class Action : std::uint8_t { run, show_features, show_version, show_clock };
  Action action = Action::run;

  bool foreground = false;               // -f
  bool root_allowed = false;             // -F
  std::vector<net::Interface> interfaces;  // -l, -6, -A, -m, -M; "internal" and "external" when bridging
  bool bridging = false;
  std::vector<std::string> control_sockets;  // -s
  bool sequential_ports = false;         // -b
  int idle_ttl = 60;                     // -T, seconds
  std::optional<int> setup_ttl;          // -W, seconds
  bool timer_per_party = false;          // -i
  int tos = 184;                         // -t
  bool double_small = false;             // -2
  std::vector<std::string> notify;       // -n
  std::string recording_directory;       // -r
  std::string spool_directory;           // -S
  bool no_rtcp_recording = false;        // -R
  bool pcap_recordings = false;          // -P
  bool record_all = false;               // -a
  std::optional<int> open_files;         // -L
  std::string pid_file = "/var/run/rtpproxy.pid";  // -p
  std::string user, group;               // -u
  std::optional<unsigned> socket_mode;   // -w, already as a mode
  std::string log_level = "WARN";        // -d; the reference says less, but what has no effect here should be read
  std::string log_facility = "LOG_DAEMON";
  std::string scheduler;                 // -c: "fifo" or "rr"
  bool keep_directory = false;           // -D
  bool bridge_symmetric = false;         // --bridge_symmetric
  bool force_asymmetric = false;         // --force_asymmetric
  bool no_resolve = false;               // --no_resolve
  bool no_redirect = false;              // --no_redirect
  std::optional<int> nice;               // --nice
  bool overload_protection = false;      // --overload_prot
  std::string config_file;               // --config
  std::vector<std::string> modules;      // --dso
  std::vector<std::string> set;          // --set, ours: any setting of millrace
  // What was given and does nothing here, each with the reason: one line in the log.
  std::vector<std::string> without_effect;

  // Without -F and -u, root may not run with a udp control socket; with local sockets only it is warned.
  [[nodiscard]] bool refuses_root() const;
};

// The error is what to write to stderr; the program then exits with 1.
std::expected<DropInOptions, std::string> parse_dropin_options(std::span<char* const> arguments);

extern const char* const kDropInUsage;

}  // namespace millrace::app
