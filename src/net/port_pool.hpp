#pragma once
// Local media ports: interfaces (named addresses with what is advertised and a port range) and who has which pair.
// A pair is an even RTP port and the odd RTCP port above it. Never two owners; random or in order; a pair that was
// given back rests before it is used again, as a preference (when only resting pairs are left the longest-rested is
// taken and counted). The pool binds the sockets itself: a port that cannot be bound (in use, forbidden) is passed
// over, any other error ends the search. A port may also be asked for by name: any port of any address, odd ones and
// those outside of ranges too, whether it rests or not; while it is open its pair is not handed out by chance, and it
// rests afterwards like any other. TCP ports have books of their own: the machine would let two sessions of ours share
// one (SO_REUSEADDR). Control thread only.

#include <array>
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
#include "net/tcp.hpp"
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

// A TCP port: where clients come to, or kept for what connects from it.
enum class StreamRole : std::uint8_t { listener, reservation };
struct StreamPort {
  Endpoint local;
  UniqueFd socket;
};

// Opens and binds one socket. Tests give functions that make none.
using BindSocket = std::function<std::expected<UniqueFd, SysError>(const Endpoint& local)>;
struct StreamBinds {
  BindSocket listen = listen_tcp;
  BindSocket reserve = reserve_tcp;
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
  // Opens and binds one UDP socket with the options media needs.
  using Bind = BindSocket;
  struct Options {
    PortOrder order = PortOrder::random;
    std::chrono::milliseconds rest{5000};
    std::uint64_t seed = 0;  // of the random order
  };

  // The first interface is the default one.
  PortPool(std::vector<Interface> interfaces, Options options, Bind bind, StreamBinds streams = {});
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
  // Port 0: one of the range's even ports.
  [[nodiscard]] std::expected<StreamPort, SysError> take_stream(const Endpoint& local, StreamRole role,
                                                                const PortRange& range, TimePoint now);
  // Its session is over: the next give_back() of this endpoint is about the TCP port, not about a UDP port of the same
  // number.
  void retire_stream(const Endpoint& local);
  // The sockets of the pair, or of the named or retired port, are closed; it rests from now on. Unknown ones are ignored.
  void give_back(const Endpoint& rtp, TimePoint now);

  [[nodiscard]] PortPoolStatistics statistics() const { return statistics_; }
  // What the machine said at the latest PortError::bind_failed.
  [[nodiscard]] const std::optional<SysError>& last_failure() const { return last_failure_; }

 private:
  class Table;  // of one address
  enum class Try : std::uint8_t { bound, passed_over, failed };
  enum class Kind : std::uint8_t { datagrams, streams };
  enum class Named : std::uint8_t { rtp_alone, rtp_with_rtcp, rtcp, stream, retired_stream };
  using NamedPorts = absl::flat_hash_map<Endpoint, Named, EndpointHash>;

  Table& table_of(const Address& address, Kind kind = Kind::datagrams);
  [[nodiscard]] Table* find_table(const Address& address, Kind kind = Kind::datagrams) const;
  void forget_idle_tables(TimePoint now);
  [[nodiscard]] NamedPorts& named(Kind kind) { return named_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] const NamedPorts& named(Kind kind) const { return named_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] bool is_taken(const Endpoint& port) const;
  [[nodiscard]] bool is_taken_stream(const Endpoint& port) const;
  std::expected<UniqueFd, SysError> bind_named(const Endpoint& port);
  std::expected<UniqueFd, SysError> bind_stream(const Endpoint& port, StreamRole role);
  std::expected<UniqueFd, SysError> noted(std::expected<UniqueFd, SysError> socket);
  void hold(const Endpoint& port, Named as, TimePoint now);
  void release(const Endpoint& port, Kind kind, TimePoint now);
  bool give_back_named(const Endpoint& port, TimePoint now);
  // Tries free pairs until one is bound; then those that rest.
  template <class TryPair>
  std::expected<void, PortError> search(Table& table, const PortRange& range, TimePoint now, TryPair&& try_pair);
  void pass_over(Table& table, std::size_t pair, TimePoint now);
  std::expected<PortPair, PortError> take_from(Table& table, const PortRange& range, TimePoint now);
  Try try_bind(Table& table, std::size_t pair, TimePoint now, PortPair& out);
  Try try_stream(Table& table, std::size_t pair, StreamRole role, TimePoint now, StreamPort& out);
  std::uint64_t random();

  std::vector<Interface> interfaces_;
  Options options_;
  Bind bind_;
  StreamBinds stream_binds_;
  std::vector<std::unique_ptr<Table>> tables_;
  // Each port by itself; a pair of the table may hold two of different owners.
  std::array<NamedPorts, 2> named_;  // by Kind
  PortPoolStatistics statistics_;
  std::optional<SysError> last_failure_;
  std::uint64_t random_state_;
};

}  // namespace millrace::net
