#pragma once
// Commands a second, counted for each name apart: a token bucket that holds one second's worth. Any thread.

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>

#include <absl/container/flat_hash_map.h>

#include "base/string_hash.hpp"
#include "base/time.hpp"

namespace millrace::access {

// Names that are counted at a time. Beyond it the one that has been silent for longest is forgotten, and begins with a
// full bucket when it comes again: the text protocol counts by address, and whoever can forge those is not held up by
// counting.
inline constexpr std::size_t kMaxCountedNames = 4096;

class CommandQuota {
 public:
  explicit CommandQuota(std::uint32_t per_second) : per_second_{per_second} {}

  // False: one too many. What is refused does not count. 0 a second: there is no limit.
  [[nodiscard]] bool take(std::string_view name, TimePoint now);
  [[nodiscard]] std::size_t counted() const;

 private:
  struct Bucket {
    std::string name;
    TimePoint full_at;  // when all that was taken has come back
  };
  using Buckets = std::list<Bucket>;
  Bucket& bucket_of(std::string_view name, TimePoint now);

  const std::uint32_t per_second_;
  mutable std::mutex mutex_;
  Buckets buckets_;  // the most recent first
  absl::flat_hash_map<std::string_view, Buckets::iterator, StringHash, StringEqual> by_name_;  // keys: Bucket::name
};

}  // namespace millrace::access
