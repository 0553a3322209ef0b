#include "control/grpc/session_methods.hpp"

#include <utility>

#include "control/grpc/office.hpp"
#include "control/grpc/session_info.hpp"
#include "control/grpc/session_name.hpp"
#include "control/grpc/translate.hpp"

namespace millrace::control::grpc {

std::expected<void, Problem> CreateSession::read(const Request& request, const Caller& caller, access::Access& access) {
  session_ = request.session_id();
  auto wanted = read_create(request, caller, access);
  if (!wanted) return std::unexpected{std::move(wanted.error())};
  wanted_ = std::move(*wanted);
  session_ = wanted_.command.call_id;
  return {};
}

std::expected<Progress, Problem> CreateSession::run(Desk& desk) {
  auto created = run_create(wanted_, desk);
  if (!created) return std::unexpected{std::move(created.error())};
  created_ = std::move(*created);
  session_ = created_.session_id;  // of a repeated request: the first one's
  return Progress::done;
}

std::expected<void, Problem> DestroySession::read(const Request& request, const Caller& /*caller*/,
                                                  access::Access& /*access*/) {
  session_ = request.session_id();
  return check_known_session_id(session_, "session_id");
}

std::expected<Progress, Problem> DestroySession::run(Desk& desk) {
  auto last = run_destroy(session_, desk);
  if (!last) return std::unexpected{std::move(last.error())};
  last_ = std::move(*last);
  return Progress::done;
}

std::expected<void, Problem> GetSessionStatus::read(const Request& request, const Caller& /*caller*/,
                                                    access::Access& /*access*/) {
  session_ = request.session_id();
  return check_known_session_id(session_, "session_id");
}

std::expected<Progress, Problem> GetSessionStatus::run(Desk& desk) {
  const auto connection = find_connection(desk.calls, session_);
  auto view = connection ? desk.calls.view(*connection, desk.now) : std::nullopt;
  if (!view) return std::unexpected{problem_of(session::Error::not_found, session_)};
  view_ = std::move(*view);
  return Progress::done;
}

void GetSessionStatus::write(Response& out) const { write_session(view_, *out.mutable_session()); }

std::expected<void, Problem> UpdateSession::read(const Request& request, const Caller& /*caller*/,
                                                 access::Access& /*access*/) {
  session_ = request.session_id();
  auto wanted = to_update(request);
  if (!wanted) return std::unexpected{std::move(wanted.error())};
  wanted_ = std::move(*wanted);
  return {};
}

// Where it may send depends on where it sends from, which only control knows.
std::expected<Progress, Problem> UpdateSession::run(Desk& desk) {
  const auto connection = desk.calls.find_session(session_);
  const auto now = connection ? desk.calls.view(*connection, desk.now) : std::nullopt;
  if (!now) return std::unexpected{problem_of(session::Error::not_found, session_)};
  if (wanted_.destination) {
    if (auto fine = check_update(wanted_, *now); !fine) return std::unexpected{std::move(fine.error())};
    const auto& forward = now->side(session::Side::answerer).local.address;
    const auto may = desk.office.parts.access.may_reach(wanted_.destination->address, forward);
    if (!may) return std::unexpected{problem_of("destination_endpoint", may.error())};
  }
  auto reply = desk.calls.execute(wanted_, desk.now);
  if (const auto* error = std::get_if<session::Error>(&reply)) return std::unexpected{problem_of(*error, session_)};
  view_ = std::move(std::get<session::View>(reply));
  return Progress::done;
}

void UpdateSession::write(Response& out) const { write_session(view_, *out.mutable_session()); }

}  // namespace millrace::control::grpc
