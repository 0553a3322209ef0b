#pragma once
// The deciding half: every call, and what a command does to it. The only writer of every Call; control thread only.
// Sans-I/O but for ports: takes commands, time and events; gives replies, plans (to the Forwarder) and Changes (to
// the listeners). Plans of connections that commands touched go out at flush(), once per batch of commands.

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/string_hash.hpp"
#include "base/time.hpp"
#include "flow/plan.hpp"
#include "net/port_pool.hpp"
#include "session/announcer.hpp"
#include "session/call.hpp"
#include "session/change.hpp"
#include "session/command.hpp"
#include "session/installer.hpp"
#include "session/local_ports.hpp"
#include "session/reply.hpp"
#include "session/settings.hpp"
#include "session/totals.hpp"

namespace millrace::session {

// Longer call-ids, tags and notification targets are refused with Error::limit_reached. Far above what signalling
// uses, below what one datagram can hold.
inline constexpr std::size_t kMaxName = 4096;  // bytes

class Calls {
 public:
  // All references outlive this.
  Calls(const Settings& settings, net::PortPool& ports, flow::Forwarder& forwarder, flow::CounterArena& counters,
        HostAddresses host = {});
  ~Calls();
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  [[nodiscard]] Reply execute(const Command& command, Now now);
  // Hands out the plans of what was touched since the last flush.
  void flush();
  // Once a second: time-outs, rates. One sweep over the counter blocks; flushes what it ended.
  void tick(Now now);

  void on(const flow::RemoteChanged& event, Now now);
  void on(const flow::StreamChanged& event, Now now);
  void on(const flow::PortClosed& event, Now now);
  void on(const flow::Removed& event, Now now);

  void add_listener(ChangeListener& listener);
  void drain() { draining_ = true; }  // existing calls go on, new ones get Error::draining
  [[nodiscard]] bool draining() const { return draining_; }
  // Flushes, too.
  void end_all(EndReason reason, Now now);

  [[nodiscard]] Totals totals() const;
  [[nodiscard]] const Call* find(std::string_view call_id) const;
  // In order of creation, oldest first.
  [[nodiscard]] std::vector<const Call*> list() const;
  // What a connection is now, as a value. Nothing: it is not there.
  [[nodiscard]] std::optional<View> view(ConnectionId id, Now now) const;
  // The connection of a session; of a call, by its call-id and the offerer's tag as it is shown (with its ";N").
  [[nodiscard]] std::optional<ConnectionId> find_session(std::string_view call_id) const;
  [[nodiscard]] std::optional<ConnectionId> find_connection_of(std::string_view call_id,
                                                               std::string_view offerer) const;
  // Ids of connections above `after`, in order, oldest first; sessions only, or all.
  [[nodiscard]] std::vector<ConnectionId> connections(ConnectionId after, bool with_calls) const;

 private:
  // One for each command; execute() visits them.
  Reply run(const Offer& command, Now now);
  Reply run(const Answer& command, Now now);
  Reply run(const Delete& command, Now now);
  Reply run(const DeleteAll& command, Now now);
  Reply run(const Query& command, Now now);
  Reply run(const Adjust& command, Now now);
  Reply run(const Fork& command, Now now);
  Reply run(const Play& command, Now now);
  Reply run(const StopPlay& command, Now now);
  Reply run(const StartRecording& command, Now now);
  Reply run(const StopRecording& command, Now now);
  Reply run(const Copy& command, Now now);
  Reply run(const Create& command, Now now);
  Reply run(const Update& command, Now now);
  Reply run(const End& command, Now now);
  Reply refuse_media(const Parties& parties);
  [[nodiscard]] std::optional<Error> refuse_session(const Create& command) const;

  // What Offer and Answer have in common on an existing connection.
  struct LegUpdate {
    Connection& connection;
    Side speaker;                    // whom `party` is about
    const PartySide& party;
    std::string_view answerer_name;  // empty: not named
  };
  Reply create(const Offer& command, Now now);
  Reply update(const LegUpdate& update, Now now);
  [[nodiscard]] std::expected<void, Error> make_ports(const LegUpdate& update, Now now);

  [[nodiscard]] Call::Match find_connection(const Parties& parties);
  [[nodiscard]] Call& call_of(std::string_view call_id, Now now);  // made when it is new
  void forget(Connection& connection);                             // and its call with its last one
  void touch(Connection& connection);                              // and those it is forked with
  void end(Connection& connection, EndReason reason, Now now);
  enum class Which : std::uint8_t { all, signalled };
  void end_everything(EndReason reason, Which which, Now now);
  [[nodiscard]] std::optional<EndReason> sweep(Connection& connection, Now now);
  void note_first_packet(Connection& connection, Now now);  // if there was one
  void change_state(Connection& connection, State state, std::string reason, Now now);
  void tell_statistics(Connection& connection, Now now);
  void disown(const Connection& connection);

  const Settings& settings_;
  LocalPorts ports_;
  Installer installer_;
  Announcer announcer_;
  Tally tally_;
  // Keys are views of Call::id().
  absl::flat_hash_map<std::string_view, std::unique_ptr<Call>, StringHash, StringEqual> calls_;
  absl::flat_hash_map<ConnectionId, Connection*, StrongHash> connections_;
  // How many sessions each owner has.
  absl::flat_hash_map<std::string, std::uint32_t, StringHash, StringEqual> owners_;
  std::uint64_t last_id_ = 0;  // of connections and of calls' serial numbers
  bool draining_ = false;
};

}  // namespace millrace::session
