#pragma once
// Making and ending one session, alone or as an item of a batch.

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "control/grpc/method.hpp"
#include "control/grpc/request_memory.hpp"
#include "control/grpc/rtpproxy.pb.h"
#include "session/command.hpp"

namespace millrace::control::grpc {

struct CreateWanted {
  session::Create command;
  std::string request_id;   // empty: none
  Fingerprint fingerprint;  // of a request with an id
};
// gRPC's thread: translated, allowed, and with an id.
[[nodiscard]] std::expected<CreateWanted, Problem> read_create(const ::rtpproxy::CreateSessionRequest& request,
                                                               const Caller& caller, const access::Access& access);
// Control thread.
[[nodiscard]] std::expected<Created, Problem> run_create(const CreateWanted& wanted, Desk& desk);
void write_created(const Created& created, ::rtpproxy::CreateSessionResponse& out);

// A session's by its id, else a call's by CALLID/FROMTAG.
[[nodiscard]] std::optional<ConnectionId> find_connection(const session::Calls& calls, std::string_view session_id);

// Control thread: ends it; its last view.
[[nodiscard]] std::expected<session::View, Problem> run_destroy(std::string_view session_id, Desk& desk);
void write_destroyed(const session::View& last, ::rtpproxy::DestroySessionResponse& out);

// Different bytes, different fingerprint; a map's order does not matter.
[[nodiscard]] Fingerprint fingerprint_of(const ::google::protobuf::Message& message);

}  // namespace millrace::control::grpc
