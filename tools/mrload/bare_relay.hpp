#pragma once
// The smallest relay there can be, as the floor that other relays are measured against: one thread, one epoll, one
// socket a leg, each packet one recvfrom and one sendto to the address that was signalled. It learns nothing, checks
// nothing, counts nothing and carries no RTCP. Speaks as much of the text protocol as mrload itself: U, L, D, V.

#include <sys/types.h>

#include <array>
#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.hpp"
#include "base/string_hash.hpp"
#include "mrload/batch.hpp"
#include "net/unique_fd.hpp"

namespace millrace::mrload {

class BareRelay {
 public:
  // Media goes through ports of the control address.
  static std::expected<BareRelay, SysError> open(const net::Endpoint& control);

  [[nodiscard]] const net::Endpoint& control() const { return control_; }
  // Waits for packets or commands at most `patience` (nothing: for ever) and handles what came.
  void turn(std::optional<std::chrono::milliseconds> patience);

 private:
  struct Leg {
    net::UniqueFd socket;
    net::Endpoint local;
    SocketAddress remote;   // length 0: not signalled yet
    Leg* other = nullptr;   // a packet that comes to this leg leaves from that one
  };
  struct Call {
    std::array<Leg, 2> legs;   // facing the caller, facing the callee
  };

  BareRelay(const net::Endpoint& control, net::UniqueFd socket, net::UniqueFd epoll)
      : control_{control}, socket_{std::move(socket)}, epoll_{std::move(epoll)} {}
  static void forward(Leg& leg);
  void on_commands();
  std::string answer(std::string_view command);
  std::string signalled(std::string_view id, bool create, const net::Endpoint& remote);
  bool open_leg(Leg& leg);

  net::Endpoint control_;
  net::UniqueFd socket_, epoll_;
  std::unordered_map<std::string, std::unique_ptr<Call>, StringHash, StringEqual> calls_;
};

// A bare relay in a process of its own, which ends with this object (and with this process).
class BareRelayProcess {
 public:
  static std::expected<BareRelayProcess, std::string> start(const net::Address& address, std::optional<int> cpu);
  BareRelayProcess(BareRelayProcess&& other) noexcept : pid_{std::exchange(other.pid_, 0)}, control_{other.control_} {}
  ~BareRelayProcess();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const net::Endpoint& control() const { return control_; }

 private:
  BareRelayProcess(pid_t pid, const net::Endpoint& control) : pid_{pid}, control_{control} {}
  pid_t pid_;
  net::Endpoint control_;
};

}  // namespace millrace::mrload
