#pragma once
// What a reader of events asked for. Pure.

#include <expected>
#include <optional>

#include "control/grpc/problem.hpp"
#include "control/grpc/rtpproxy.pb.h"
#include "events/hub.hpp"

namespace millrace::control::grpc {

struct StreamWanted {
  events::Filter filter;
  std::optional<events::ResumePoint> resume;
};
[[nodiscard]] std::expected<StreamWanted, Problem> to_stream(const ::rtpproxy::StreamSessionEventsRequest& request);

}  // namespace millrace::control::grpc
