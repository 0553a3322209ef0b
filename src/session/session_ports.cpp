#include "session/session_ports.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/check.hpp"

namespace millrace::session {

namespace {

class Taking {
 public:
  Taking(net::PortPool& pool, const SideRequest& caller, const SideRequest& callee, TimePoint now)
      : pool_{pool}, now_{now}, sides_{Making{caller, {}}, Making{callee, {}}} {
    for (Making& making : sides_) {
      making.ports.place = making.request.place;
      making.ports.transport = making.request.wanted.transport;
    }
  }

  std::expected<SessionPorts, PortRefused> run() {
    for (const bool chosen : {false, true}) {
      for (const Side side : {Side::offerer, Side::answerer}) {
        if (making(side).chosen() != chosen) continue;
        if (auto failure = chosen ? take_chosen(making(side)) : take_named(making(side)); !failure.empty()) {
          return std::unexpected{give_up(side, std::move(failure))};
        }
      }
      if (!chosen) take_rtcp();
    }
    if (!note_.empty()) drop_rtcp();
    return SessionPorts{.caller = std::move(making(Side::offerer).ports),
                        .callee = std::move(making(Side::answerer).ports),
                        .note = std::move(note_)};
  }

 private:
  struct Making {
    const SideRequest& request;
    SidePorts ports;
    [[nodiscard]] bool chosen() const { return request.wanted.local.port.value() == 0; }
    [[nodiscard]] bool datagrams() const { return request.wanted.transport == flow::Transport::datagram; }
  };
  [[nodiscard]] Making& making(Side side) { return sides_[index_of(side)]; }

  // These answer what the machine said when they failed.
  std::string take_stream(Making& making) {
    const auto role = &making == sides_.data() ? net::StreamRole::listener : net::StreamRole::reservation;
    auto port = pool_.take_stream(making.request.wanted.local, role, making.ports.place.interface->range, now_);
    if (!port) return port.error().message();
    making.ports.local = port->local;
    making.ports.rtp_socket = std::move(port->socket);
    return {};
  }

  std::string take_named(Making& making) {
    if (!making.datagrams()) return take_stream(making);
    auto socket = pool_.take_named(making.request.wanted.local, now_);
    if (!socket) return socket.error().message();
    making.ports.local = making.request.wanted.local;
    making.ports.rtp_socket = *std::move(socket);
    return {};
  }

  std::string take_chosen(Making& making) {
    if (!making.datagrams()) return take_stream(making);
    const net::PortRange& range = making.ports.place.interface->range;
    auto pair = pool_.take(making.request.wanted.local.address, range, now_);
    if (!pair && pair.error() == net::PortError::bind_failed) return pool_.last_failure()->message();
    if (!pair) return fmt::format("no free port pair in {}-{}", range.first, static_cast<unsigned>(range.last) + 1);
    making.ports.local = pair->rtp;
    making.ports.rtp_socket = std::move(pair->rtp_socket);
    making.ports.rtcp_socket = std::move(pair->rtcp_socket);
    making.ports.rtcp = true;
    return {};
  }

  // Of the named ports; the first one that has none ends it for both.
  void take_rtcp() {
    for (Making& making : sides_) {
      if (making.chosen() || !making.datagrams() || !note_.empty()) continue;
      auto socket = pool_.take_rtcp_of(making.ports.local, now_);
      if (!socket) {
        note_ = "runs without RTCP: " + socket.error().message();
        continue;
      }
      making.ports.rtcp_socket = *std::move(socket);
      making.ports.rtcp = true;
    }
  }

  void drop_rtcp() {
    for (Making& making : sides_) {
      if (!std::exchange(making.ports.rtcp, false)) continue;
      making.ports.rtcp_socket = net::UniqueFd{};
      pool_.give_back_rtcp_of(making.ports.local, now_);
    }
  }

  PortRefused give_up(Side failed, std::string reason) {
    for (Making& making : sides_) {
      if (!making.ports.local.is_set()) continue;
      making.ports.rtp_socket = net::UniqueFd{};
      making.ports.rtcp_socket = net::UniqueFd{};
      if (!making.datagrams()) pool_.retire_stream(making.ports.local);
      pool_.give_back(making.ports.local, now_);
    }
    return {.callee_side = failed == Side::answerer,
            .local = making(failed).request.wanted.local,
            .error = Error::no_port_for_new,
            .reason = std::move(reason)};
  }

  net::PortPool& pool_;
  TimePoint now_;
  std::array<Making, 2> sides_;  // by Side
  std::string note_;
};

}  // namespace

std::expected<SessionPorts, PortRefused> take_session_ports(net::PortPool& pool, const SideRequest& caller,
                                                            const SideRequest& callee, TimePoint now) {
  return Taking{pool, caller, callee, now}.run();
}

}  // namespace millrace::session
