#pragma once
// What CreateSession made for which request_id: a repeated request gets the first result. Bounded, the least recently
// used is forgotten. Control thread only.

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>

#include "base/string_hash.hpp"
#include "base/time.hpp"
#include "net/endpoint.hpp"

namespace millrace::control::grpc {

inline constexpr std::size_t kRememberedRequests = 8192;

// Of a request's bytes: two requests of one id are the same, or they are not.
using Fingerprint = std::array<std::uint8_t, 32>;

struct Created {
  std::string session_id{};
  WallTime at{};
  net::Endpoint listen{}, forward{};
  bool rtcp = false;
  std::string note{};
};

class RequestMemory {
 public:
  struct Remembered {
    Fingerprint fingerprint;
    Created result;
  };
  // Null: not seen, or forgotten. Valid until the next remember().
  [[nodiscard]] const Remembered* find(const std::string& identity, const std::string& request_id);
  void remember(const std::string& identity, const std::string& request_id, Remembered what);
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string key;
    Remembered what;
  };
  void forget(std::list<Entry>::iterator entry);

  std::list<Entry> entries_;  // the latest used first
  absl::flat_hash_map<std::string_view, std::list<Entry>::iterator, StringHash, StringEqual> by_key_;  // of Entry::key
};

}  // namespace millrace::control::grpc
