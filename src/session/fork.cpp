#include "session/fork.hpp"

namespace millrace::session {

namespace {
void stop_feeding(Connection& into) {
  if (into.fed_by == nullptr) return;
  std::erase_if(into.fed_by->forks, [&into](const ForkTo& fork) { return fork.into == &into; });
  into.fed_by = nullptr;
}
}  // namespace

std::optional<Error> refuse_fork(const Connection& into, const Connection& source) {
  if (&into == &source || !into.forks.empty() || source.listens_only) return Error::not_supported;
  if (into.has_streams() || source.has_streams()) return Error::not_supported;
  if (into.fed_by != &source && source.forks.size() == kMaxForks) return Error::limit_reached;
  return std::nullopt;
}

void fork(Connection& into, Connection& source, bool crosswise) {
  stop_feeding(into);
  into.fed_by = &source;
  into.listens_only = true;
  source.forks.push_back({.into = &into, .crosswise = crosswise});
}

std::vector<Connection*> leave_forks(Connection& connection) {
  std::vector<Connection*> changed;
  if (connection.fed_by != nullptr) changed.push_back(connection.fed_by);
  stop_feeding(connection);
  for (const ForkTo& fork : connection.forks) {
    fork.into->fed_by = nullptr;
    changed.push_back(fork.into);
  }
  connection.forks.clear();
  return changed;
}

}  // namespace millrace::session
