// Requests of the gRPC API from arbitrary bytes: each is refused in words that a status can carry, or gives a command
// that keeps to the limits. Input: a byte for the method, then the request.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <google/protobuf/stubs/logging.h>

#include "base/check.hpp"
#include "base/utf8.hpp"
#include "control/grpc/event_filter.hpp"
#include "control/grpc/rtpproxy.pb.h"
#include "control/grpc/session_name.hpp"
#include "control/grpc/translate.hpp"
#include "control/grpc/undecodable.hpp"

namespace {

using namespace millrace;
using namespace millrace::control;

constexpr std::size_t kMaxReason = 2048;  // what fits into a status beside other headers

void check_problem(const grpc::Problem& problem) {
  MR_CHECK(problem.code == grpc::Code::invalid_argument);
  MR_CHECK(!problem.text.empty() && problem.text.size() <= kMaxReason);
  MR_CHECK(!grpc::has_control_characters(problem.text));
}

// False: it was told why not.
template <class Request>
bool parsed(std::string_view bytes, Request& request) {
  if (request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return true;
  check_problem(grpc::invalid(grpc::why_undecodable(bytes, *Request::descriptor())));
  return false;
}

void check_labels(const session::Labels& labels) {
  MR_CHECK(labels.size() <= grpc::kMaxLabels);
  for (const auto& [key, value] : labels) {
    MR_CHECK(!key.empty() && key.size() <= grpc::kMaxLabelKey && value.size() <= grpc::kMaxLabelValue);
  }
}

void check(const session::Create& create) {
  MR_CHECK(create.call_id.size() <= grpc::kMaxSessionId && is_utf8(create.call_id));
  MR_CHECK(!grpc::has_control_characters(create.call_id));
  MR_CHECK(create.destination.port != Port{} && !create.destination.address.is_any());
  MR_CHECK(create.callee.local.address.family() == create.destination.address.family());
  MR_CHECK(create.destination != create.callee.local);
  const auto carried = [](flow::Transport transport) { return transport == flow::Transport::stream; };
  MR_CHECK(carried(create.caller.transport) == carried(create.callee.transport));
  check_labels(create.labels);
}

void run_create(std::string_view bytes) {
  ::rtpproxy::CreateSessionRequest request;
  if (!parsed(bytes, request)) return;
  const auto create = grpc::to_create(request);
  if (create) return check(*create);
  check_problem(create.error());
}

void run_update(std::string_view bytes) {
  ::rtpproxy::UpdateSessionRequest request;
  if (!parsed(bytes, request)) return;
  const auto update = grpc::to_update(request);
  if (!update) return check_problem(update.error());
  MR_CHECK(!update->call_id.empty());
  if (const auto fits = grpc::check_update(*update, {}); !fits) check_problem(fits.error());
}

void run_list(std::string_view bytes) {
  ::rtpproxy::ListSessionsRequest request;
  if (!parsed(bytes, request)) return;
  const auto wanted = grpc::to_list(request);
  if (!wanted) return check_problem(wanted.error());
  MR_CHECK(wanted->page_size > 0 && wanted->page_size <= grpc::kMaxPageSize);
  if (!request.page_token().empty()) MR_CHECK(grpc::from_page_token(grpc::page_token(wanted->after)) == wanted->after);
  check_labels(wanted->labels);
}

void run_stream(std::string_view bytes) {
  ::rtpproxy::StreamSessionEventsRequest request;
  if (!parsed(bytes, request)) return;
  const auto wanted = grpc::to_stream(request);
  if (!wanted) return check_problem(wanted.error());
  events::Event event;
  event.view = std::make_shared<session::View>();
  (void)wanted->filter.wants(event);
}

void run_batch(std::string_view bytes) {
  ::rtpproxy::CreateSessionsRequest request;
  if (!parsed(bytes, request)) return;
  for (const auto& each : request.sessions()) {
    const auto create = grpc::to_create(each);
    create ? check(*create) : check_problem(create.error());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool kQuiet = ::google::protobuf::SetLogHandler(nullptr) != nullptr;
  (void)kQuiet;
  if (size == 0) return 0;
  constexpr std::array kMethods{run_create, run_update, run_list, run_stream, run_batch};
  kMethods[data[0] % kMethods.size()]({reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}
