#include "sim/scene.hpp"

#include "session/totals.hpp"

namespace millrace::sim {

namespace {

using flow::Count;
using flow::Drop;

void expect_balance(const flow::FlowCounters& counters, std::uint64_t arrived, std::uint64_t sent, std::size_t slot) {
  EXPECT_EQ(session::arrived(counters), arrived) << "slot " << slot;
  EXPECT_EQ(counters[Count::packets_in], counters[Count::packets_relayed] + counters[Drop::no_destination] +
                                             counters[Drop::no_egress] + counters[Drop::send_failed])
      << "slot " << slot;
  EXPECT_EQ(counters[Count::packets_out], sent) << "slot " << slot;
}

}  // namespace

void expect_conservation(const Scene& scene) {
  for (const Node::Ended& ended : scene.node.ended()) {
    const auto& last = std::get<session::ConnectionEnded>(ended.change.what).counters;
    const std::array by_slot{&last.party_rtp, &last.party_rtcp, &last.other_rtp, &last.other_rtcp};
    for (std::size_t slot = 0; slot < flow::kSlots; ++slot) {
      expect_balance(*by_slot[slot], ended.books.arrived[slot], ended.books.sent[slot], slot);
    }
  }
  const session::Totals totals = scene.node.calls().totals();
  EXPECT_EQ(totals.packets_in, scene.node.arrived());
  EXPECT_EQ(totals.packets_in, totals.packets_relayed + totals.packets_discarded);
  EXPECT_EQ(totals.created, totals.destroyed);
  EXPECT_EQ(scene.node.ended().size(), totals.destroyed);
  EXPECT_EQ(scene.node.relayed_connections(), 0U);
  EXPECT_EQ(scene.node.ports().in_use, 0U);
  EXPECT_EQ(scene.node.counters().in_use(), 0U);
  EXPECT_EQ(scene.caller->heard_of_strangers() + scene.callee->heard_of_strangers(), 0U);

  const Network::Counts& network = scene.network.counts();
  EXPECT_EQ(network.sent + network.repeated, network.lost + network.delivered + network.unreachable);
}

}  // namespace millrace::sim
