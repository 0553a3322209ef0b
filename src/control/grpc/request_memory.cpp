#include "control/grpc/request_memory.hpp"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace millrace::control::grpc {

namespace {
// The length in front: no name and id are another name and id.
std::string key_of(const std::string& identity, const std::string& request_id) {
  return fmt::format("{}:{}{}", identity.size(), identity, request_id);
}
}  // namespace

const RequestMemory::Remembered* RequestMemory::find(const std::string& identity, const std::string& request_id) {
  const auto found = by_key_.find(std::string_view{key_of(identity, request_id)});
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &found->second->what;
}

void RequestMemory::remember(const std::string& identity, const std::string& request_id, Remembered what) {
  std::string key = key_of(identity, request_id);
  if (const auto known = by_key_.find(std::string_view{key}); known != by_key_.end()) {
    forget(known->second);
  } else if (entries_.size() >= kRememberedRequests) {
    forget(std::prev(entries_.end()));
  }
  entries_.push_front({.key = std::move(key), .what = std::move(what)});
  by_key_.emplace(entries_.front().key, entries_.begin());
}

void RequestMemory::forget(std::list<Entry>::iterator entry) {
  by_key_.erase(std::string_view{entry->key});
  entries_.erase(entry);
}

}  // namespace millrace::control::grpc
