#pragma once
// Views and events → messages. Pure.

#include <string>

#include "control/grpc/rtpproxy.pb.h"
#include "events/event.hpp"
#include "session/view.hpp"

namespace millrace::control::grpc {

[[nodiscard]] std::string session_id_of(const session::View& view);  // of a call: CALLID/FROMTAG
void write_endpoint(const net::Endpoint& endpoint, ::rtpproxy::Endpoint& out);
void write_session(const session::View& view, ::rtpproxy::SessionInfo& out);
void write_event(const events::Event& event, const std::string& instance, ::rtpproxy::SessionEvent& out);

[[nodiscard]] ::rtpproxy::SessionEventType type_of(events::Kind kind);

}  // namespace millrace::control::grpc
