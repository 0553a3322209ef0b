#include "dataplane/placement.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace millrace::dataplane {
namespace {

// Forgets a connection when its engine says that it is gone, and passes everything on.
class Forgetful final : public EventSink {
 public:
  Forgetful(EventSink& next, absl::flat_hash_map<ConnectionId, Engine*, StrongHash>& placed)
      : next_{next}, placed_{placed} {}
  void on(const flow::RemoteChanged& event) override { next_.on(event); }
  void on(const flow::StreamChanged& event) override { next_.on(event); }
  void on(const flow::PortClosed& event) override { next_.on(event); }
  void on(const flow::Removed& event) override {
    placed_.erase(event.connection);
    next_.on(event);
  }

 private:
  EventSink& next_;
  absl::flat_hash_map<ConnectionId, Engine*, StrongHash>& placed_;
};

}  // namespace

Placement::Placement(std::vector<std::unique_ptr<Engine>> engines) : engines_{std::move(engines)} {
  MR_CHECK(!engines_.empty());
}

// Only an engine that carries everything can promise to have room for whatever comes.
bool Placement::accepts_new() const { return engines_.back()->accepts_new(); }

Engine& Placement::choose(const flow::FlowPlan& plan) const {
  const auto found = std::ranges::find_if(
      engines_, [&](const auto& engine) { return engine->supports(plan) && engine->accepts_new(); });
  return found == engines_.end() ? *engines_.back() : **found;
}

void Placement::install(flow::Installation installation) {
  const auto [found, fresh] = placed_.try_emplace(installation.plan->id, nullptr);
  if (fresh) found->second = &choose(*installation.plan);
  found->second->install(std::move(installation));
}

void Placement::remove(ConnectionId connection) {
  const auto found = placed_.find(connection);
  if (found != placed_.end()) found->second->remove(connection);
}

void Placement::hand_over(EventSink& sink) {
  Forgetful forgetful{sink, placed_};
  for (const auto& engine : engines_) engine->hand_over(forgetful);
}

void Placement::wake() {
  for (const auto& engine : engines_) engine->wake();
}

}  // namespace millrace::dataplane
