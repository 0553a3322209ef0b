#pragma once
// Counters → what the API says of them. Pure; the meaning of each number is in rtpproxy.proto.

#include "control/grpc/rtpproxy.pb.h"
#include "session/view.hpp"

namespace millrace::control::grpc {

void write_stats(const session::View& view, ::rtpproxy::TrafficStats& out);

}  // namespace millrace::control::grpc
