#pragma once
// Messages of the API as text for people. Pure.

#include <string>

#include "control/grpc/rtpproxy.pb.h"

namespace millrace::mrctl {

std::string text_of(const rtpproxy::GetServerInfoResponse& info);
std::string text_of(const rtpproxy::SessionInfo& session, std::int64_t now);   // Unix seconds
std::string line_of(const rtpproxy::SessionInfo& session, std::int64_t now);   // one of a list
std::string line_of(const rtpproxy::SessionEvent& event);
std::string heading_of_lines();

}  // namespace millrace::mrctl
