#pragma once
// Requests → session's words. Pure: what is refused names the field, what is wrong with it and what is allowed.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <set>
#include <string>
#include <string_view>

#include "control/grpc/problem.hpp"
#include "control/grpc/rtpproxy.pb.h"
#include "net/endpoint.hpp"
#include "session/command.hpp"
#include "session/view.hpp"

namespace millrace::control::grpc {

namespace pb = ::rtpproxy;

inline constexpr std::size_t kMaxLabels = 32;
inline constexpr std::size_t kMaxLabelKey = 63;      // bytes; not empty
inline constexpr std::size_t kMaxLabelValue = 255;   // bytes
inline constexpr int kMaxBatch = 1000;               // items
inline constexpr int kMaxStreamIds = 1000;           // session_ids of one event stream
inline constexpr std::uint32_t kMaxPageSize = 8000;  // sessions gathered for one page; above what its bytes hold
inline constexpr std::chrono::milliseconds kShortestBurst{10}, kLongestBurst{60'000};
inline constexpr std::uint32_t kLongestConnectMs = 600'000;
inline constexpr std::uint32_t kLongestKeepAlive = 32'767;   // seconds, Linux's own
inline constexpr std::uint32_t kLongestUserTimeout = 86'400;  // seconds

// An empty session_id stays empty, `owner` is for the caller to set.
[[nodiscard]] std::expected<session::Create, Problem> to_create(const pb::CreateSessionRequest& request);
[[nodiscard]] std::expected<session::Update, Problem> to_update(const pb::UpdateSessionRequest& request);

// Whether what it asks for fits the session as it is.
[[nodiscard]] std::expected<void, Problem> check_update(const session::Update& update, const session::View& view);

// Labels that a session must have.
[[nodiscard]] std::expected<session::Labels, Problem> to_labels(
    const ::google::protobuf::Map<std::string, std::string>& labels);
[[nodiscard]] bool has_labels(const session::Labels& all, const session::Labels& wanted);

struct ListWanted {
  std::optional<session::State> state;
  session::Labels labels;
  bool calls = false;
  std::uint32_t page_size = kMaxPageSize;
  ConnectionId after;
};
[[nodiscard]] std::expected<ListWanted, Problem> to_list(const pb::ListSessionsRequest& request);
[[nodiscard]] bool matches(const session::View& view, const ListWanted& wanted);

// Where a page ended → where the next one begins.
[[nodiscard]] std::string page_token(ConnectionId last);
[[nodiscard]] std::expected<ConnectionId, Problem> from_page_token(std::string_view token);

}  // namespace millrace::control::grpc
