// The states of connections, what is told of them and when, and sessions over streams.

#include <gtest/gtest.h>

#include "session/testing.hpp"
#include "session/verdict.hpp"

namespace millrace::session {
namespace {

using flow::Carries;
using flow::Count;
using flow::Slot;
using flow::StreamState;
using flow::Transport;
using std::chrono::seconds;
using testing::create;
using testing::endpoint;
using testing::error_in;
using testing::view_in;
using testing::World;
using testing::WorldOptions;

// What was announced, by kind.
std::vector<ChangeKind> kinds(const World& world) {
  std::vector<ChangeKind> found;
  for (const Change& change : world.listener.changes) found.push_back(static_cast<ChangeKind>(change.what.index()));
  return found;
}

// Reads views, and only what it asks for.
class ViewReader : public ChangeListener {
 public:
  [[nodiscard]] bool wants(const ChangeSubject& subject) const override { return subject.session; }
  [[nodiscard]] bool wants_view() const override { return true; }
  void on_change(const Change& change) override {
    ASSERT_NE(change.view, nullptr);
    views.push_back(change.view);
  }
  std::vector<std::shared_ptr<const View>> views;
};

flow::RemoteChanged learned(ConnectionId id, Slot slot) {
  return {
      .connection = id,
      .slot = slot,
      .remote = {
          .signalled = {}, .destination = endpoint("127.0.0.7:7000"), .learned = true, .locked = false, .history = {}}};
}

TEST(SessionState, the_first_packet_that_is_learned_from_makes_it_active_once) {
  World world;
  const ConnectionId id = view_in(world.run(create("s1"))).id;
  world.calls.on(learned(id, Slot::offerer_rtp), world.now);
  world.packet(world.only_plan(), Slot::offerer_rtp);
  world.calls.on(learned(id, Slot::answerer_rtp), world.now);
  world.pass(seconds{3});
  EXPECT_EQ(kinds(world),
            (std::vector{ChangeKind::created, ChangeKind::state, ChangeKind::learned, ChangeKind::learned}));
  EXPECT_EQ(world.listener.all<StateChanged>().front().reason, "first packet");
  const View view = *world.calls.view(id, world.now);
  EXPECT_EQ(view.state, State::active);
  EXPECT_EQ(view.side(Side::offerer).remote, endpoint("127.0.0.7:7000"));
}

TEST(SessionState, where_nothing_is_learned_the_sweep_sees_the_first_packet) {
  World world;
  world.offer("c1", "127.0.0.1:7000", "f");
  world.answer("c1", "127.0.0.1:7100", "f", "t");
  world.pass(seconds{2});
  EXPECT_TRUE(world.listener.all<StateChanged>().empty());
  world.packet(world.only_plan(), Slot::answerer_rtcp);
  world.pass(seconds{2});
  EXPECT_EQ(world.listener.all<StateChanged>().size(), 1U) << "calls have states like sessions";
}

TEST(SessionState, a_packet_between_the_sweep_and_the_end_is_not_forgotten) {
  World world;
  ViewReader reader;
  world.calls.add_listener(reader);
  const ConnectionId id = view_in(world.run(create("s1"))).id;
  world.packet(world.only_plan(), Slot::offerer_rtp);
  world.run(End{id});
  EXPECT_EQ(kinds(world), (std::vector{ChangeKind::created, ChangeKind::state, ChangeKind::ended}));
  ASSERT_EQ(reader.views.size(), 3U);
  EXPECT_EQ(reader.views[0]->state, State::connecting);
  EXPECT_EQ(reader.views[1]->state, State::active);
  EXPECT_EQ(reader.views[2]->state, State::closed);
  EXPECT_EQ(reader.views[2]->side(Side::offerer).rtp_counters[Count::packets_in], 1U);
}

TEST(SessionState, views_are_built_for_those_who_read_them_alone) {
  World world;
  world.run(create("s1"));
  EXPECT_EQ(world.listener.changes.front().view, nullptr);
  ViewReader reader;
  world.calls.add_listener(reader);
  world.offer("c1", "127.0.0.1:7000", "f");
  EXPECT_EQ(world.listener.changes.back().view, nullptr) << "the reader wants sessions";
  world.run(Update{.call_id = "s1"});
  ASSERT_EQ(reader.views.size(), 1U);
  EXPECT_EQ(world.listener.changes.back().view, reader.views.front()) << "one for all";
}

TEST(SessionState, statistics_are_due_every_interval_and_not_in_between) {
  World world;
  Create command = create("s1");
  command.options.stats_interval = seconds{3};
  EXPECT_EQ(view_in(world.run(command)).stats_interval, seconds{3});
  world.run(create("s2", "127.0.0.1:0", "127.0.0.1:0"));
  const auto told = [&] { return world.listener.all<StatisticsDue>().size(); };
  world.pass(seconds{2});
  EXPECT_EQ(told(), 0U);
  world.pass(seconds{1});
  EXPECT_EQ(told(), 1U);
  world.pass(seconds{9});
  EXPECT_EQ(told(), 4U);
  world.now.mono += seconds{30};  // the process was stopped
  world.calls.tick(world.now);
  EXPECT_EQ(told(), 5U);
  world.run(Update{.call_id = "s1", .options = {.stats_interval = seconds{1}}});
  world.pass(seconds{2});
  EXPECT_EQ(told(), 7U);
  world.run(Update{.call_id = "s1", .options = {.stats_interval = seconds{0}}});
  world.pass(seconds{9});
  EXPECT_EQ(told(), 7U);
}

TEST(SessionState, last_activity_is_the_latest_packet_of_either_side) {
  World world;
  const ConnectionId id = view_in(world.run(create("s1"))).id;
  const auto at = [&](Slot slot, std::uint64_t seconds_since_1970) {
    World::port(world.only_plan(), slot).counters->set(Count::last_in_wall_ns, seconds_since_1970 * 1'000'000'000);
  };
  at(Slot::offerer_rtp, 100);
  at(Slot::answerer_rtcp, 120);
  EXPECT_EQ(world.calls.view(id, world.now)->last_activity, WallTime{seconds{120}});
}

struct Joined {
  Transport caller, callee;
};
Create create_streams(Joined joined, std::string_view id = "s1") {
  Create command = create(id);
  command.caller.transport = joined.caller;
  command.callee.transport = joined.callee;
  return command;
}

// Slot → where what arrives there goes.
std::string describe_plan(const flow::FlowPlan& plan) {
  constexpr std::array kNames{"caller", "caller-rtcp", "callee", "callee-rtcp"};
  constexpr std::array kCarried{"", "(media)", "(rtcp)"};
  std::string text;
  for (const flow::PortPlan& port : plan.ports) {
    text += std::string{kNames[std::to_underlying(port.slot)]} + ":";
    for (const flow::Egress& egress : port.egresses) {
      text += std::string{" "} + kNames[std::to_underlying(egress.slot)] + kCarried[std::to_underlying(egress.carries)];
    }
    text += "; ";
  }
  return text;
}

TEST(StreamSession, joins_what_can_be_joined) {
  struct Case {
    Joined joined;
    const char* plan;
  };
  for (const Case& c : {Case{{Transport::stream, Transport::stream}, "caller: callee; callee: caller; "},
                        Case{{Transport::framed_stream, Transport::framed_stream}, "caller: callee; callee: caller; "},
                        Case{{Transport::framed_stream, Transport::datagram},
                             "caller: callee(media) callee-rtcp(rtcp); callee: caller; callee-rtcp: caller; "},
                        Case{{Transport::datagram, Transport::framed_stream},
                             "caller: callee; caller-rtcp: callee; callee: caller(media) caller-rtcp(rtcp); "}}) {
    World world;
    Create command = create_streams(c.joined);
    command.options.stream.connect_timeout = std::chrono::milliseconds{700};
    const View view = view_in(world.run(command));
    EXPECT_EQ(describe_plan(world.only_plan()), c.plan);
    EXPECT_EQ(view.note, "");
    EXPECT_EQ(view.side(Side::offerer).transport, c.joined.caller);
    EXPECT_EQ(world.only_plan().ports.back().stream.connect_timeout.count(), 700);
    EXPECT_EQ(view.side(Side::offerer).rtcp, c.joined.caller == Transport::datagram);
    EXPECT_EQ(world.counters.in_use(), world.only_plan().ports.size());
    world.run(End{view.id});
    world.deliver();
    EXPECT_EQ(world.pool.statistics().in_use, 0U);
    EXPECT_EQ(world.counters.in_use(), 0U);
  }
}

TEST(StreamSession, bytes_without_frames_go_to_no_other_transport) {
  for (const Joined& joined :
       {Joined{Transport::stream, Transport::datagram}, Joined{Transport::datagram, Transport::stream},
        Joined{Transport::stream, Transport::framed_stream}, Joined{Transport::framed_stream, Transport::stream}}) {
    World world;
    EXPECT_EQ(error_in(world.run(create_streams(joined))), Error::not_supported);
    EXPECT_EQ(world.pool.statistics().in_use, 0U);
  }
}

TEST(StreamSession, without_an_rtcp_port_its_datagram_side_does_without) {
  World world;
  world.refusals[5011] = EADDRINUSE;
  const View view = view_in(world.run(create_streams({Transport::framed_stream, Transport::datagram})));
  EXPECT_EQ(view.note, "runs without RTCP: bind 127.0.0.1:5011: Address already in use");
  EXPECT_EQ(describe_plan(world.only_plan()), "caller: callee(media); callee: caller; ");
}

TEST(StreamSession, two_of_ours_never_share_a_tcp_port_while_udp_may_have_the_same_number) {
  World world;
  const Joined streams{Transport::stream, Transport::stream};
  const ConnectionId first = view_in(world.run(create_streams(streams))).id;
  const Reply second = world.run(create_streams(streams, "s2"));
  ASSERT_TRUE(std::holds_alternative<PortRefused>(second));
  EXPECT_EQ(std::get<PortRefused>(second).reason, "bind 127.0.0.1:5000: Address already in use");
  const ConnectionId datagrams = view_in(world.run(create("s3"))).id;
  EXPECT_EQ(world.pool.statistics().in_use, 4U);

  world.run(End{first});
  world.deliver();
  EXPECT_EQ(world.pool.statistics().in_use, 2U);
  EXPECT_TRUE(std::holds_alternative<PortRefused>(world.run(create("s4")))) << "UDP 5000 is still in use";
  view_in(world.run(create_streams(streams, "s5")));
  world.run(End{datagrams});
  world.deliver();
  EXPECT_EQ(world.pool.statistics().in_use, 2U);
  view_in(world.run(create("s6")));
}

TEST(StreamSession, has_the_states_of_its_stream_each_told_once) {
  World world;
  const ConnectionId id = view_in(world.run(create_streams({Transport::stream, Transport::stream}))).id;
  const auto happens = [&](StreamState state, std::string reason = {}) {
    world.calls.on({.connection = id,
                    .state = state,
                    .client = endpoint("127.0.0.7:7000"),
                    .local = endpoint("127.0.0.1:40000"),
                    .reason = std::move(reason)},
                   world.now);
    return *world.calls.view(id, world.now);
  };
  EXPECT_EQ(happens(StreamState::waiting).state, State::connecting);
  world.packet(world.only_plan(), Slot::offerer_rtp);
  world.pass(seconds{1});
  EXPECT_TRUE(world.listener.all<StateChanged>().empty()) << "bytes alone do not make it active";
  const View connecting = happens(StreamState::connecting);
  EXPECT_EQ(connecting.side(Side::offerer).remote, endpoint("127.0.0.7:7000"));
  const View active = happens(StreamState::connected);
  EXPECT_EQ(active.state, State::active);
  EXPECT_EQ(active.side(Side::answerer).local, endpoint("127.0.0.1:40000"));
  const View waiting = happens(StreamState::waiting, "the client closed");
  EXPECT_EQ(waiting.state, State::connecting);
  EXPECT_FALSE(waiting.side(Side::offerer).remote.is_set());
  EXPECT_EQ(waiting.side(Side::answerer).local, endpoint("127.0.0.1:5010"));
  happens(StreamState::connecting);
  const View failed = happens(StreamState::failed, "connect 127.0.0.9:9000: Connection refused");
  EXPECT_EQ(failed.state, State::failed);
  EXPECT_EQ(failed.error, "connect 127.0.0.9:9000: Connection refused");
  EXPECT_EQ(verdict(world.calls.find("s1")->connections().front(), world.now),
            "the last stream failed: connect 127.0.0.9:9000: Connection refused");
  EXPECT_EQ(happens(StreamState::connecting).error, "");

  std::vector<std::string> reasons;
  for (const StateChanged& each : world.listener.all<StateChanged>()) reasons.push_back(each.reason);
  EXPECT_EQ(reasons,
            (std::vector<std::string>{"connected", "the client closed", "connect 127.0.0.9:9000: Connection refused",
                                      "connecting to the destination"}));
}

TEST(StreamSession, lives_as_long_as_something_moves_in_either_direction) {
  struct Case {
    const char* name;
    Transport transport;
    Slot slot;
    Count what;
    bool lives;
  };
  for (const Case& c :
       {Case{"the client sends", Transport::stream, Slot::offerer_rtp, Count::packets_in, true},
        Case{"the destination sends", Transport::stream, Slot::answerer_rtp, Count::packets_in, true},
        Case{"the client takes what came at once", Transport::stream, Slot::offerer_rtp, Count::packets_out, true},
        Case{"the destination takes it", Transport::stream, Slot::answerer_rtp, Count::packets_out, true},
        Case{"datagrams leave, and who knows whether they arrive", Transport::datagram, Slot::answerer_rtp,
             Count::packets_out, false}}) {
    World world{{.settings = {.idle_timeout = seconds{5}}}};
    world.run(create_streams({c.transport, c.transport}));
    for (int i = 0; i < 20 && world.calls.find("s1") != nullptr; ++i) {
      world.packet(world.only_plan(), c.slot, c.what);
      world.pass(seconds{1});
    }
    EXPECT_EQ(world.calls.find("s1") != nullptr, c.lives) << c.name;
    world.pass(seconds{6});
    EXPECT_EQ(world.calls.find("s1"), nullptr) << c.name << ": silence ends it, with a client or without";
  }
}

TEST(StreamSession, is_never_forked) {
  World world;
  world.run(create_streams({Transport::framed_stream, Transport::datagram}));
  world.offer("c1", "127.0.0.1:7000", "f");
  const Parties session = World::parties("s1", kCaller, kCallee), call = World::parties("c1", "f", "");
  EXPECT_EQ(error_in(world.run(Fork{.into = call, .source = session})), Error::not_supported);
  EXPECT_EQ(error_in(world.run(Fork{.into = session, .source = call})), Error::not_supported);
}

}  // namespace
}  // namespace millrace::session
