#pragma once
// Which engine carries a connection: the cheapest that supports its plan. Control thread only; what session sees of
// the forwarding half. A connection stays with the engine that it was given to.

#include <absl/container/flat_hash_map.h>

#include <memory>
#include <vector>

#include "dataplane/engine.hpp"
#include "flow/plan.hpp"

namespace millrace::dataplane {

class Placement final : public flow::Forwarder {
 public:
  // Cheapest first. The last one supports every plan that session makes.
  explicit Placement(std::vector<std::unique_ptr<Engine>> engines);

  [[nodiscard]] bool accepts_new() const override;
  void install(flow::Installation installation) override;
  void remove(ConnectionId connection) override;

  // After each batch of commands, and when an engine's event_fd() is readable.
  void hand_over(EventSink& sink);
  void wake();
  [[nodiscard]] const std::vector<std::unique_ptr<Engine>>& engines() const { return engines_; }

 private:
  [[nodiscard]] Engine& choose(const flow::FlowPlan& plan) const;

  std::vector<std::unique_ptr<Engine>> engines_;
  absl::flat_hash_map<ConnectionId, Engine*, StrongHash> placed_;
};

}  // namespace millrace::dataplane
