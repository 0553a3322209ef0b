#pragma once
// Everything under one call-id: its legs, their media streams, and the connections that join them, in order of
// creation. A call may hold connections that have nothing to do with one another. Readers (query tools) get it const.

#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "session/connection.hpp"
#include "session/leg.hpp"
#include "session/matching.hpp"

namespace millrace::session {

class Call {
 public:
  Call(std::string id, std::uint64_t serial, Now now) : id_{std::move(id)}, serial_{serial}, created_{now} {}

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::uint64_t serial() const { return serial_; }  // grows with every call of the process
  [[nodiscard]] Now created() const { return created_; }
  [[nodiscard]] const std::list<Leg>& legs() const { return legs_; }
  [[nodiscard]] const std::list<Connection>& connections() const { return connections_; }
  [[nodiscard]] std::list<Connection>& connections() { return connections_; }

  struct Match {
    Connection* connection = nullptr;  // null: none matches
    Direction direction = Direction::forward;
    [[nodiscard]] Side speaker() const { return direction == Direction::forward ? Side::offerer : Side::answerer; }
  };
  // The first that matches, in order of creation.
  [[nodiscard]] Match find(const Parties& parties);

  // A new connection between the legs of these tags; `to` may be empty. Streams are there, ports are not.
  Connection& connect(ConnectionId id, const Parties& parties, const Settings& settings, Now now);
  // A command named the answerer (again): its stream belongs to the leg of that tag. Empty text names nobody.
  void name_answerer(Connection& connection, std::string_view text);
  // Takes the connection out, and its legs when nothing else is on them.
  void disconnect(Connection& connection);

 private:
  [[nodiscard]] Leg& leg(std::string_view tag);
  MediaStream& add_stream(std::string_view tag, std::string_view media);
  void remove_stream(const MediaStream& stream);
  void remove_if_empty(const Leg& leg);

  std::string id_;
  std::uint64_t serial_;
  Now created_;
  std::list<Leg> legs_;  // lists: streams and connections point at one another and never move
  std::list<Connection> connections_;
};

}  // namespace millrace::session
