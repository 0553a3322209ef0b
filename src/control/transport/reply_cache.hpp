#pragma once
// Replies by cookie, so that a command that was sent again is answered again and not run again. One cache serves
// all datagram sockets of a front end; the cookie alone is the key, whoever sends it. Control thread only.

#include <absl/container/flat_hash_map.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace millrace::control::transport {

class ReplyCache {
 public:
  struct Limits {
    std::chrono::seconds lifetime{35};        // what clients of the text protocol count on
    // Beyond either the oldest goes. A cookie may be as long as a datagram, so counting entries alone bounds nothing.
    std::size_t max_entries = std::size_t{1} << 18;
    std::size_t max_bytes = std::size_t{32} << 20;  // of cookies and replies; usual ones are about 60 bytes together
  };
  explicit ReplyCache(Limits limits) : limits_{limits} {}
  ReplyCache() : ReplyCache(Limits{}) {}

  // The reply (without the cookie) that was stored last; borrowed until the next store().
  [[nodiscard]] std::optional<std::string_view> find(std::string_view cookie, TimePoint now) const;
  void store(std::string_view cookie, std::string_view reply, TimePoint now);
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string text;  // cookie, then reply: one allocation
    std::size_t cookie_size = 0;
    TimePoint expires;

    [[nodiscard]] std::string_view cookie() const { return std::string_view{text}.substr(0, cookie_size); }
  };
  [[nodiscard]] bool has_room(std::size_t bytes) const;
  void drop_oldest();

  Limits limits_;
  std::deque<Entry> entries_;  // in order of time: the front goes first
  std::size_t bytes_ = 0;  // of their texts
  std::uint64_t first_ = 0;  // the number of entries_.front()
  // Hash of the cookie → number of its entry. Two living cookies with one 64-bit hash: the later one wins, the
  // earlier is a miss, and its command would run twice; clients' cookies do not meet by chance.
  absl::flat_hash_map<std::uint64_t, std::uint64_t> numbers_;
};

}  // namespace millrace::control::transport
