#include "dataplane/placement.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace millrace::dataplane {
namespace {

// Remembers what it was asked; carries plans with at most `most_ports` ports.
class Recorder final : public Engine {
 public:
  explicit Recorder(std::size_t most_ports, bool room = true) : most_ports_{most_ports}, room_{room} {}
  std::string_view name() const override { return "recorder"; }
  bool supports(const flow::FlowPlan& plan) const override { return plan.ports.size() <= most_ports_; }
  bool accepts_new() const override { return room_; }
  void install(flow::Installation installation) override { installed.push_back(installation.plan->id); }
  void remove(ConnectionId connection) override { removed.push_back(connection); }
  void hand_over(EventSink& sink) override {
    for (const ConnectionId id : std::exchange(removed, {})) sink.on(flow::Removed{id});
  }
  void wake() override {}
  int event_fd() const override { return -1; }

  std::vector<ConnectionId> installed, removed;

 private:
  std::size_t most_ports_;
  bool room_;
};

struct CountingSink final : EventSink {
  void on(const flow::RemoteChanged&) override {}
  void on(const flow::StreamChanged&) override {}
  void on(const flow::PortClosed&) override {}
  void on(const flow::Removed&) override { ++removed; }
  int removed = 0;
};

struct Engines {
  explicit Engines(bool cheap_has_room = true) {
    auto first = std::make_unique<Recorder>(2, cheap_has_room);
    auto second = std::make_unique<Recorder>(4);
    cheap = first.get();
    full = second.get();
    std::vector<std::unique_ptr<Engine>> list;
    list.push_back(std::move(first));
    list.push_back(std::move(second));
    placement = std::make_unique<Placement>(std::move(list));
  }
  void install(std::uint64_t id, std::size_t ports) {
    auto plan = std::make_unique<flow::FlowPlan>();
    plan->id = ConnectionId{id};
    plan->ports.resize(ports);
    flow::Installation installation;
    installation.plan = std::move(plan);
    placement->install(std::move(installation));
  }
  Recorder* cheap;
  Recorder* full;
  std::unique_ptr<Placement> placement;
};

using Ids = std::vector<ConnectionId>;

TEST(Placement, gives_a_plan_to_the_cheapest_engine_that_supports_it) {
  Engines engines;
  engines.install(1, 2);
  engines.install(2, 4);
  EXPECT_EQ(engines.cheap->installed, Ids{ConnectionId{1}});
  EXPECT_EQ(engines.full->installed, Ids{ConnectionId{2}});
}

TEST(Placement, passes_over_an_engine_that_has_no_room) {
  Engines engines{false};
  engines.install(1, 2);
  EXPECT_EQ(engines.full->installed, Ids{ConnectionId{1}});
}

TEST(Placement, gives_a_plan_that_nobody_supports_to_the_last_engine) {
  Engines engines;
  engines.install(1, 5);
  EXPECT_EQ(engines.full->installed, Ids{ConnectionId{1}});
}

TEST(Placement, leaves_a_connection_where_it_is) {
  Engines engines;
  engines.install(1, 4);
  engines.install(1, 2);
  EXPECT_EQ(engines.full->installed, (Ids{ConnectionId{1}, ConnectionId{1}}));
}

TEST(Placement, removes_where_it_installed_and_passes_the_end_on) {
  Engines engines;
  engines.install(1, 2);
  engines.placement->remove(ConnectionId{1});
  engines.placement->remove(ConnectionId{9});
  EXPECT_EQ(engines.cheap->removed, Ids{ConnectionId{1}});
  EXPECT_TRUE(engines.full->removed.empty());

  CountingSink sink;
  engines.placement->hand_over(sink);
  EXPECT_EQ(sink.removed, 1);
  engines.placement->remove(ConnectionId{1});   // forgotten: nobody is asked
  EXPECT_TRUE(engines.cheap->removed.empty());
}

}  // namespace
}  // namespace millrace::dataplane
