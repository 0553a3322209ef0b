#pragma once
// Requests and replies over a control protocol's datagrams: "COOKIE SP TEXT" each way. Keeps what is under way, sends
// it again under the same cookie when no reply came for a second, gives up after five tries, as SIP servers do. Pure:
// time and datagrams in, datagrams out; control_socket.hpp moves them.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace millrace::mrload {

class Exchange {
 public:
  static constexpr std::chrono::seconds kRetryAfter{1};
  static constexpr int kTries = 5;

  struct Reply {
    std::uint64_t tag;
    std::string_view text;   // borrowed from the datagram
    Nanoseconds took;        // since the first try
  };

  explicit Exchange(std::uint32_t run) : run_{run} {}

  // The datagram to send. `tag` is the caller's own name of the request and comes back with the reply.
  std::string start(std::uint64_t tag, std::string_view request, TimePoint now);
  // Nothing for a datagram that answers no request under way: foreign, or the second answer to a repeated one.
  std::optional<Reply> on_datagram(std::string_view datagram, TimePoint now);
  // Datagrams to send again.
  std::vector<std::string> due(TimePoint now);
  // A request that stayed without reply after every try, if there is one.
  [[nodiscard]] std::optional<std::uint64_t> given_up(TimePoint now) const;

  [[nodiscard]] std::size_t under_way() const { return pending_.size(); }
  [[nodiscard]] std::uint64_t repeats() const { return repeats_; }

 private:
  struct Pending {
    std::uint64_t tag;
    std::string datagram;
    TimePoint first, last;
    int tries;
  };

  std::uint32_t run_;
  std::uint64_t serial_ = 0;
  std::uint64_t repeats_ = 0;
  std::map<std::uint64_t, Pending> pending_;   // by serial, so the oldest come first
};

}  // namespace millrace::mrload
