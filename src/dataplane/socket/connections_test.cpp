#include "dataplane/socket/connections.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "dataplane/socket/testing.hpp"

namespace millrace::dataplane {
namespace {

using flow::Slot;
using testing::Call;
using ::testing::ElementsAre;
using testing::endpoint;
using testing::endpoint_of;
using ::testing::IsEmpty;

constexpr Now kNow{.mono = TimePoint{std::chrono::hours{1}}, .wall = WallTime{std::chrono::hours{9}}};

class ConnectionsTest : public ::testing::Test {
 protected:
  Connection& install(const Call& call) {
    closed_ = {};
    return connections_.install(call.plan, {}, kNow, closed_);
  }
  void remove(const Call& call) {
    closed_ = {};
    connections_.remove(call.plan.id, closed_);
  }
  MediaPort* link(const Call& call, Slot slot = Slot::offerer_rtp) {
    return connections_.find(call.plan.id)->port(slot).links.at(0).port;
  }
  std::vector<net::Endpoint> given_back() const { return {closed_.pairs.begin(), closed_.pairs.end()}; }
  void tell_all() {
    while (connections_.changed() != nullptr) connections_.changed_was_told();
  }
  flow::CounterArena arena_;
  Connections connections_;
  Closed closed_;
};

TEST_F(ConnectionsTest, feeds_each_side_from_the_other) {
  Call call{arena_};
  Connection& connection = install(call);
  for (MediaPort& port : connection.ports) {
    EXPECT_EQ(link(call, port.slot), &connection.port(flow::other_side(port.slot)));
  }
}

TEST_F(ConnectionsTest, joins_a_fork_in_whichever_order_the_plans_come) {
  for (const bool target_first : {true, false}) {
    Connections fresh;
    connections_ = std::move(fresh);
    Call call{arena_, 1}, target{arena_, 2};
    call.port(Slot::offerer_rtp).egresses = {{target.plan.id, Slot::answerer_rtp}};
    install(target_first ? target : call);
    install(target_first ? call : target);
    EXPECT_EQ(link(call), &connections_.find(target.plan.id)->port(Slot::answerer_rtp)) << target_first;
  }
}

TEST_F(ConnectionsTest, a_link_leads_nowhere_while_its_port_is_gone) {
  Call call{arena_, 1}, target{arena_, 2};
  call.port(Slot::offerer_rtp).egresses = {{target.plan.id, Slot::answerer_rtp}};
  install(target);
  install(call);

  Call smaller = target;
  smaller.plan.ports.resize(2);   // the plan drops the answerer's ports
  install(smaller);
  EXPECT_EQ(link(call), nullptr);
  install(target);
  EXPECT_NE(link(call), nullptr);
  remove(target);
  EXPECT_EQ(link(call), nullptr);
  remove(call);   // the order in which they end does not matter
  EXPECT_EQ(connections_.size(), 0u);
}

TEST_F(ConnectionsTest, a_link_that_a_newer_plan_does_not_have_is_not_restored) {
  Call call{arena_, 1}, target{arena_, 2};
  call.port(Slot::offerer_rtp).egresses = {{target.plan.id, Slot::answerer_rtp}};
  install(call);
  call.port(Slot::offerer_rtp).egresses = {{call.plan.id, Slot::answerer_rtp}};
  install(call);
  install(target);
  EXPECT_EQ(link(call), &connections_.find(call.plan.id)->port(Slot::answerer_rtp));
}

TEST_F(ConnectionsTest, keeps_what_was_learned_when_the_plan_is_replaced) {
  Call call{arena_};
  MediaPort& port = install(call).port(Slot::offerer_rtp);
  const auto learned = endpoint("198.51.100.7:31000");
  ASSERT_EQ(port.latch.on_arrival({.from = learned, .rtp = std::nullopt}, kNow), flow::Verdict::accept_learned);
  port.refresh_destination();
  call.port(Slot::offerer_rtp).tos = 8;
  install(call);
  EXPECT_EQ(endpoint_of(port.destination), learned);
  EXPECT_EQ(port.tos, 8);
}

TEST_F(ConnectionsTest, tells_the_latch_of_an_address_once_a_revision) {
  Call call{arena_};
  MediaPort& port = install(call).port(Slot::offerer_rtp);
  const auto elsewhere = endpoint("192.0.2.77:7000");
  call.port(Slot::offerer_rtp).signalled = elsewhere;
  install(call);
  EXPECT_NE(endpoint_of(port.destination), elsewhere);   // the same revision: not said again
  call.port(Slot::offerer_rtp).signalled_revision = 2;
  install(call);
  EXPECT_EQ(endpoint_of(port.destination), elsewhere);
  call.port(Slot::offerer_rtp).signalled = endpoint("0.0.0.0:7000");
  call.port(Slot::offerer_rtp).signalled_revision = 3;
  install(call);
  EXPECT_EQ(endpoint_of(port.destination), elsewhere);   // hold changes nothing
}

TEST_F(ConnectionsTest, a_renewed_pair_gives_back_the_old_one) {
  Call call{arena_};
  MediaPort& port = install(call).port(Slot::answerer_rtp);
  EXPECT_THAT(given_back(), IsEmpty());
  const auto old = port.local;
  call.port(Slot::answerer_rtp).local = endpoint("10.0.0.1:20000");
  call.port(Slot::answerer_rtcp).local = endpoint("10.0.0.1:20001");
  install(call);
  EXPECT_THAT(given_back(), ElementsAre(old));
  EXPECT_EQ(port.local, endpoint("10.0.0.1:20000"));
  EXPECT_TRUE(port.open);
  EXPECT_EQ(link(call), &port);
}

TEST_F(ConnectionsTest, removing_gives_back_each_pair_once) {
  Call call{arena_};
  install(call);
  remove(call);
  EXPECT_THAT(given_back(), ElementsAre(call.port(Slot::offerer_rtp).local, call.port(Slot::answerer_rtp).local));
  Closed nothing;
  connections_.remove(call.plan.id, nothing);
  EXPECT_TRUE(nothing.pairs.empty());
}

TEST_F(ConnectionsTest, forgets_that_control_must_hear_of_a_port_that_is_gone) {
  Call call{arena_, 1}, other{arena_, 2};
  for (const Call* each : {&call, &other}) connections_.mark_changed(install(*each).port(Slot::offerer_rtp));
  remove(call);
  std::set<ConnectionId::rep> told;
  while (MediaPort* port = connections_.changed()) {
    told.insert(port->connection->id.value());
    connections_.changed_was_told();
  }
  EXPECT_THAT(told, ElementsAre(2u));
}

TEST_F(ConnectionsTest, tells_control_of_a_signalled_address_only_when_it_was_told_another) {
  Call call{arena_};
  MediaPort& port = install(call).port(Slot::offerer_rtp);
  EXPECT_EQ(connections_.changed(), nullptr) << "control has just named it";
  connections_.mark_changed(port);
  tell_all();
  ++call.port(Slot::offerer_rtp).signalled_revision;
  install(call);
  EXPECT_EQ(connections_.changed(), &port);
}

TEST_F(ConnectionsTest, a_connection_that_changes_workers_takes_along_what_it_knows_and_owes) {
  Call call{arena_, 1}, target{arena_, 2};
  call.port(Slot::offerer_rtp).egresses.push_back({target.plan.id, Slot::answerer_rtp});
  MediaPort& port = install(call).port(Slot::offerer_rtp);
  install(target);
  tell_all();
  connections_.mark_changed(port);

  auto released = connections_.release(call.plan.id);
  ASSERT_NE(released, nullptr);
  EXPECT_EQ(connections_.changed(), nullptr);
  EXPECT_EQ(port.links.at(0).port, nullptr);   // nothing may point into the old worker
  EXPECT_EQ(port.links.at(1).port, nullptr);
  EXPECT_EQ(connections_.release(call.plan.id), nullptr);

  Connections elsewhere;
  Connection& adopted = elsewhere.adopt(std::move(released));
  EXPECT_EQ(&adopted.port(Slot::offerer_rtp), &port);
  EXPECT_EQ(elsewhere.changed(), &port);
  EXPECT_EQ(port.links.at(0).port, &adopted.port(Slot::answerer_rtp));
  EXPECT_EQ(port.links.at(1).port, nullptr);
  elsewhere.adopt(connections_.release(target.plan.id));
  EXPECT_NE(port.links.at(1).port, nullptr);
}

}  // namespace
}  // namespace millrace::dataplane
