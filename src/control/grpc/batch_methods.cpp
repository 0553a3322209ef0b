#include "control/grpc/batch_methods.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "control/grpc/session_name.hpp"
#include "control/grpc/translate.hpp"

namespace millrace::control::grpc {

namespace {

std::expected<void, Problem> check_size(int items, std::string_view field) {
  if (items <= kMaxBatch) return {};
  return std::unexpected{invalid(fmt::format("{}: {} items, at most {} are allowed", field, items, kMaxBatch))};
}

// The call itself was the first item's command.
std::expected<void, Problem> count_item(std::size_t index, const Caller& caller, access::Access& access) {
  if (index == 0) return {};
  const auto may = access.count_command(caller.identity.name, read_clocks().mono);
  if (!may) return std::unexpected{problem_of(may.error())};
  return {};
}

// The items that still have none get an outcome, a slice of them.
template <class Items, class Run>
Progress run_slice(Items& items, std::size_t& next, Run run) {
  for (std::size_t left = kItemsPerJob; left > 0 && next < items.size(); ++next) {
    if (items[next].outcome) continue;
    items[next].outcome = run(items[next]);
    --left;
  }
  return next < items.size() ? Progress::again : Progress::done;
}

template <class Item, class Result>
bool write_status(const Item& item, Result& out) {
  const bool fine = item.outcome && item.outcome->has_value();
  if (!fine && item.outcome) {
    out.mutable_status()->set_code(static_cast<int>(item.outcome->error().code));
    out.mutable_status()->set_message(item.outcome->error().text);
  } else {
    out.mutable_status()->set_code(0);
  }
  return fine;
}

}  // namespace

std::expected<void, Problem> CreateSessions::read(const Request& request, const Caller& caller,
                                                  access::Access& access) {
  if (auto fine = check_size(request.sessions_size(), "sessions"); !fine) return fine;
  items_.reserve(static_cast<std::size_t>(request.sessions_size()));
  for (const auto& each : request.sessions()) {
    auto& item = items_.emplace_back();
    item.session = each.session_id();
    if (auto counted = count_item(items_.size() - 1, caller, access); !counted) {
      item.outcome = std::unexpected{std::move(counted.error())};
      continue;
    }
    auto wanted = read_create(each, caller, access);
    if (wanted) {
      item.session = wanted->command.call_id;
      item.wanted = std::move(*wanted);
    } else {
      item.outcome = std::unexpected{std::move(wanted.error())};
    }
  }
  return {};
}

std::expected<Progress, Problem> CreateSessions::run(Desk& desk) {
  return run_slice(items_, next_, [&desk](auto& item) {
    auto created = run_create(item.wanted, desk);
    if (created) item.session = created->session_id;  // of a repeated request: the first one's
    return created;
  });
}

void CreateSessions::write(Response& out) const {
  for (const auto& item : items_) {
    auto& result = *out.add_results();
    if (write_status(item, result)) write_created(**item.outcome, *result.mutable_session());
  }
}

std::expected<void, Problem> DestroySessions::read(const Request& request, const Caller& caller,
                                                   access::Access& access) {
  if (auto fine = check_size(request.session_ids_size(), "session_ids"); !fine) return fine;
  items_.reserve(static_cast<std::size_t>(request.session_ids_size()));
  for (const auto& id : request.session_ids()) {
    auto& item = items_.emplace_back();
    item.session = id;
    auto fine = count_item(items_.size() - 1, caller, access);
    if (fine) fine = check_known_session_id(id, "session_ids");
    if (!fine) item.outcome = std::unexpected{std::move(fine.error())};
  }
  return {};
}

std::expected<Progress, Problem> DestroySessions::run(Desk& desk) {
  return run_slice(items_, next_, [&desk](auto& item) { return run_destroy(item.session, desk); });
}

void DestroySessions::write(Response& out) const {
  for (const auto& item : items_) {
    auto& result = *out.add_results();
    if (write_status(item, result)) write_destroyed(**item.outcome, *result.mutable_session());
  }
}

}  // namespace millrace::control::grpc
