#pragma once
// Local media ports: interfaces (named addresses with what is advertised and a port range) and who has which pair.
// A pair is an even RTP port and the odd RTCP port above it. Never two owners; random or in order; a pair that was
// given back rests before it is used again, as a preference (when only resting pairs are left the longest-rested is
// taken and counted). The pool binds the sockets itself: a port that cannot be bound (in use, forbidden) is passed
// over, any other error ends the search. A port may also be asked for by name: any port of any address, odd ones and
// those outside of ranges too, whether it rests or not; while it is open its pair is not handed out by chance, and it
// rests afterwards like any other. Control thread only.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/error.hpp"
#include "base/time.hpp"
#include "net/endpoint.hpp"
#include "net/unique_fd.hpp"

namespace millrace::net {

struct PortRange {
  std::uint16_t first = 10000;  // even; the lowest RTP port
  std::uint16_t last = 19998;   // even; the highest RTP port, RTCP is one above
};

enum class PortOrder : std::uint8_t { random, sequential };

// A named local address, or several of one family, that media may use.
struct Interface {
  std::string name;                // empty: has no name
  std::vector<Address> addresses;  // at least one; may be the wildcard
  std::string advertised;          // said in place of the address; may be any text; empty: the address
  PortRange range;
};

struct PortPair {
  Endpoint rtp;                 // local; RTCP is rtp.next_port()
  UniqueFd rtp_socket, rtcp_socket;
};

enum class PortError : std::uint8_t {
  exhausted,   // no pair of the range could be taken
  bind_failed  // the machine refused for another reason than "in use" or "forbidden"
};

struct PortPoolStatistics {
  std::uint64_t taken = 0;                // pairs handed out so far
  std::uint64_t in_use = 0;               // pairs handed out and not given back
  std::uint64_t passed_over = 0;          // tries that met a port of somebody else
  std::uint64_t taken_while_resting = 0;  // pairs that should have rested longer
  std::uint64_t failed = 0;               // takes that ended with PortError::bind_failed
};

class PortPool {
 public:
  // Opens and binds one UDP socket with the options media needs. Tests give a function that makes none.
  using Bind = std::function<std::expected<UniqueFd, SysError>(const Endpoint& local)>;
  struct Options {
    PortOrder order = PortOrder::random;
    std::chrono::milliseconds rest{5000};
    std::uint64_t seed = 0;  // of the random order
  };

  // The first interface is the default one.
  PortPool(std::vector<Interface> interfaces, Options options, Bind bind);
  ~PortPool();

  [[nodiscard]] const std::vector<Interface>& interfaces() const;
  [[nodiscard]] const Interface* find(std::string_view name) const;
  // The interface that holds that address; a wildcard interface of its family counts.
  [[nodiscard]] const Interface* find(const Address& address) const;

  // A pair on one of the interface's addresses, the least used first; or on exactly that address.
  [[nodiscard]] std::expected<PortPair, PortError> take(const Interface& interface, TimePoint now);
  [[nodiscard]] std::expected<PortPair, PortError> take(const Address& address, const PortRange& range, TimePoint now);
  // Exactly this port, without its neighbour; the error is the machine's.
  [[nodiscard]] std::expected<UniqueFd, SysError> take_named(const Endpoint& rtp, TimePoint now);
  // The port above one that take_named() gave; the two are given back together.
  [[nodiscard]] std::expected<UniqueFd, SysError> take_rtcp_of(const Endpoint& rtp, TimePoint now);
  // The RTCP socket of a taken port is closed, the RTP one stays.
  void give_back_rtcp_of(const Endpoint& rtp, TimePoint now);
  // The sockets of the pair, or of the named port, are closed; it rests from now on. Unknown ones are ignored.
  void give_back(const Endpoint& rtp, TimePoint now);

  [[nodiscard]] PortPoolStatistics statistics() const { return statistics_; }
  // What the machine said at the latest PortError::bind_failed.
  [[nodiscard]] const std::optional<SysError>& last_failure() const { return last_failure_; }

 private:
  class Table;  // of one address
  enum class Try : std::uint8_t { bound, passed_over, failed };
  enum class Named : std::uint8_t { rtp_alone, rtp_with_rtcp, rtcp };

  Table& table_of(const Address& address);
  [[nodiscard]] Table* find_table(const Address& address) const;
  void forget_idle_tables(TimePoint now);
  [[nodiscard]] bool is_taken(const Endpoint& port) const;
  std::expected<UniqueFd, SysError> bind_named(const Endpoint& port);
  void hold(const Endpoint& port, Named as, TimePoint now);
  void release(const Endpoint& port, TimePoint now);
  std::expected<PortPair, PortError> take_from(Table& table, const PortRange& range, TimePoint now);
  Try try_bind(Table& table, std::size_t pair, TimePoint now, PortPair& out);
  std::uint64_t random();

  std::vector<Interface> interfaces_;
  Options options_;
  Bind bind_;
  std::vector<std::unique_ptr<Table>> tables_;
  // Each port by itself; a pair of the table may hold two of different owners.
  absl::flat_hash_map<Endpoint, Named, EndpointHash> named_;
  PortPoolStatistics statistics_;
  std::optional<SysError> last_failure_;
  std::uint64_t random_state_;
};

}  // namespace millrace::net
