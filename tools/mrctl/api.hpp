#pragma once
// The same questions over the gRPC API, from any machine: status, calls, one call, drain; and events as they happen.
// Blocks. Text for people, or protobuf's JSON for scripts.

#include <cstdint>
#include <string>
#include <vector>

namespace millrace::mrctl {

struct ApiOptions {
  std::string server = "127.0.0.1:50051";
  std::string token;        // empty: none
  bool tls = false;         // the certificates below imply it
  std::string ca_file;      // authorities (PEM); empty: the system's
  std::string certificate_file, key_file;  // of a client
  bool as_json = false;
};

// Each prints and gives the exit status; what goes wrong is a sentence on stderr.
int api_status(const ApiOptions& options);
int api_calls(const ApiOptions& options, const std::string& contains, std::size_t limit);
int api_call(const ApiOptions& options, const std::string& id);
int api_drain(const ApiOptions& options);

struct WatchOptions {
  std::vector<std::string> sessions;  // empty: all
  bool calls = true;                  // of the text protocol, too
  bool statistics = false;
  std::uint64_t count = 0;            // ends after so many events; 0: never
};
// Goes on where it was when the stream breaks; until Ctrl-C, or until the server says that it will not be asked.
int api_watch(const ApiOptions& options, const WatchOptions& watch);

}  // namespace millrace::mrctl
