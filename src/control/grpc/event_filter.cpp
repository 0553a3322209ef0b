#include "control/grpc/event_filter.hpp"

#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include <bitset>
#include <string>
#include <utility>

#include "base/string_hash.hpp"
#include "control/grpc/session_info.hpp"
#include "control/grpc/session_name.hpp"
#include "control/grpc/translate.hpp"

namespace millrace::control::grpc {

namespace {

using Types = std::bitset<::rtpproxy::SessionEventType_ARRAYSIZE>;
using Ids = absl::flat_hash_set<std::string, StringHash, StringEqual>;

// An empty set stands for every one.
std::expected<Types, Problem> to_types(const ::rtpproxy::StreamSessionEventsRequest& request) {
  Types types;
  for (const int type : request.types()) {
    if (type <= 0 || !::rtpproxy::SessionEventType_IsValid(type)) {
      return std::unexpected{invalid(fmt::format("types: {} is not the type of an event", type))};
    }
    types.set(static_cast<std::size_t>(type));
  }
  return types.none() ? types.set() : types;
}

std::expected<Ids, Problem> to_ids(const ::rtpproxy::StreamSessionEventsRequest& request) {
  if (request.session_ids_size() > kMaxStreamIds) {
    return std::unexpected{invalid(
        fmt::format("session_ids: {} of them, at most {} are allowed", request.session_ids_size(), kMaxStreamIds))};
  }
  Ids ids;
  for (const auto& id : request.session_ids()) {
    if (auto fine = check_known_session_id(id, "session_ids"); !fine) return std::unexpected{std::move(fine.error())};
    ids.insert(id);
  }
  return ids;
}

}  // namespace

std::expected<StreamWanted, Problem> to_stream(const ::rtpproxy::StreamSessionEventsRequest& request) {
  const auto types = to_types(request);
  if (!types) return std::unexpected{types.error()};
  auto ids = to_ids(request);
  if (!ids) return std::unexpected{std::move(ids.error())};
  auto labels = to_labels(request.labels());
  if (!labels) return std::unexpected{std::move(labels.error())};

  StreamWanted wanted;
  wanted.filter.calls = request.include_calls();
  wanted.filter.statistics = types->test(::rtpproxy::SESSION_STATS_UPDATE);
  wanted.filter.wants = [types = *types, ids = std::move(*ids),
                         labels = std::move(*labels)](const events::Event& event) {
    if (!types.test(static_cast<std::size_t>(type_of(event.kind)))) return false;
    if (!ids.empty() && !ids.contains(session_id_of(*event.view))) return false;
    return has_labels(event.view->labels, labels);
  };
  if (request.has_resume_after()) {
    if (request.instance_id().empty()) {
      return std::unexpected{invalid("instance_id: resume_after needs the instance_id of the events it counts")};
    }
    wanted.resume = events::ResumePoint{.instance = request.instance_id(), .after = request.resume_after()};
  }
  return wanted;
}

}  // namespace millrace::control::grpc
