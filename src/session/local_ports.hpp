#pragma once
// Which local address a leg's ports belong on, and the ports themselves from the moment they are bound until a worker
// has closed them. Stands between commands' wishes (LocalChoice) and net::PortPool. Control thread only.

#include <expected>
#include <functional>

#include "base/time.hpp"
#include "net/port_pool.hpp"
#include "net/udp.hpp"
#include "session/command.hpp"
#include "session/leg.hpp"
#include "session/reply.hpp"
#include "session/session_ports.hpp"

namespace millrace::session {

// What only the machine knows. Tests answer themselves.
struct HostAddresses {
  std::function<std::optional<net::Address>(const net::Address& remote)> towards = net::source_towards;
  std::function<bool(const net::Address& address)> is_local = net::is_local;
};

class LocalPorts {
 public:
  LocalPorts(net::PortPool& pool, HostAddresses host) : pool_{pool}, host_{std::move(host)} {}

  [[nodiscard]] std::expected<Place, Error> place(const LocalChoice& choice) const;
  // Of a new connection: the side facing the party of the command, and the other one.
  struct Places {
    Place party, other;
  };
  [[nodiscard]] std::expected<Places, Error> places_for_new(const PartySide& party) const;
  // Of ports that an existing connection makes or renews on the leg that the reply names.
  [[nodiscard]] std::expected<Place, Error> place_for_leg(const MediaStream& leg, const PartySide& party) const;

  // Gives the stream a fresh pair there. The old pair, if it has one, is given up only when the new one is bound;
  // nothing has changed when it returns false.
  [[nodiscard]] bool make_pair(MediaStream& stream, const Place& place, TimePoint now);
  // Both sides of a session, or nothing.
  [[nodiscard]] std::expected<SessionPorts, PortRefused> make_session(const SideWanted& caller,
                                                                      const SideWanted& callee, TimePoint now);

  // The stream goes away. A pair that a worker owns stays taken until on_closed().
  void give_up(MediaStream& stream, TimePoint now);
  // Both sockets of the pair with this RTP endpoint are closed.
  void on_closed(const net::Endpoint& rtp, TimePoint now) { pool_.give_back(rtp, now); }

  [[nodiscard]] static LocalMedia media_of(const MediaStream& stream);

 private:
  [[nodiscard]] const net::Interface& default_interface() const { return pool_.interfaces().front(); }
  [[nodiscard]] std::expected<Place, Error> place_of(const net::Address& address) const;
  [[nodiscard]] std::expected<Place, Error> default_place(net::Family wanted) const;
  [[nodiscard]] std::expected<Place, Error> place_for_session(const net::Address& address) const;

  net::PortPool& pool_;
  HostAddresses host_;
};

}  // namespace millrace::session
