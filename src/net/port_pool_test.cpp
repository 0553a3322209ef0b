#include "net/port_pool.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <map>
#include <set>

#include "net/port_table.hpp"

namespace millrace::net {
namespace {

using namespace std::chrono_literals;

const Address kFirst = Address::ipv4(0x7f000001);
const Address kSecond = Address::ipv4(0x7f000002);
const TimePoint kStart{1000s};

// A host without sockets: says which ports are taken by others.
struct FakeHost {
  std::map<std::uint16_t, int> refusals;  // port → errno
  int binds = 0;
  PortPool::Bind bind() {
    return [this](const Endpoint& local) -> std::expected<UniqueFd, SysError> {
      ++binds;
      const auto refusal = refusals.find(local.port.value());
      if (refusal != refusals.end()) return std::unexpected{SysError{refusal->second, "bind " + local.to_string()}};
      return UniqueFd{};
    };
  }
};

Interface interface(std::vector<Address> addresses, PortRange range, std::string name = {}) {
  return {.name = std::move(name), .addresses = std::move(addresses), .advertised = {}, .range = range};
}

// Ports of `count` takes; 0 for exhausted, 1 for bind_failed.
std::vector<int> take_ports(PortPool& pool, int count, TimePoint now = kStart) {
  std::vector<int> ports;
  for (int i = 0; i < count; ++i) {
    const auto pair = pool.take(pool.interfaces().front(), now);
    ports.push_back(pair ? pair->rtp.port.value() : pair.error() == PortError::exhausted ? 0 : 1);
  }
  return ports;
}

using Ports = std::vector<int>;

TEST(PortPool, in_order_it_walks_upward_and_round) {
  FakeHost host;
  PortPool pool{{interface({kFirst}, {10000, 10006})}, {.order = PortOrder::sequential, .rest = 0ms}, host.bind()};
  EXPECT_EQ(take_ports(pool, 2), (Ports{10000, 10002}));
  pool.give_back({kFirst, Port{10000}}, kStart);
  EXPECT_EQ(take_ports(pool, 4), (Ports{10004, 10006, 10000, 0})) << "not the lowest free one, the next one";
}

TEST(PortPool, odd_ends_of_a_range_are_rounded_inward) {
  FakeHost host;
  PortPool pool{{interface({kFirst}, {10001, 10005})}, {.order = PortOrder::sequential}, host.bind()};
  EXPECT_EQ(take_ports(pool, 3), (Ports{10002, 10004, 0}));
}

TEST(PortPool, the_ends_of_all_ports_are_usable_and_an_empty_range_is_exhausted) {
  FakeHost host;
  PortPool top{{interface({kFirst}, {65532, 65534})}, {.order = PortOrder::sequential}, host.bind()};
  EXPECT_EQ(take_ports(top, 3), (Ports{65532, 65534, 0}));
  PortPool empty{{interface({kFirst}, {5002, 5000})}, {}, host.bind()};
  EXPECT_EQ(take_ports(empty, 1), Ports{0});
  PortPool beyond{{interface({kFirst}, {65535, 65535})}, {}, host.bind()};
  EXPECT_EQ(take_ports(beyond, 1), Ports{0});
}

TEST(PortPool, at_random_every_pair_is_given_once_in_another_order_for_each_seed) {
  FakeHost host;
  PortPool one{{interface({kFirst}, {10000, 10998})}, {.seed = 1}, host.bind()};
  PortPool two{{interface({kFirst}, {10000, 10998})}, {.seed = 2}, host.bind()};
  const auto ports = take_ports(one, 500);
  const std::set<int> distinct{ports.begin(), ports.end()};
  EXPECT_EQ(distinct.size(), 500u);
  EXPECT_EQ(*distinct.begin(), 10000);
  EXPECT_EQ(*distinct.rbegin(), 10998);
  EXPECT_NE(ports, take_ports(two, 500));
  EXPECT_NE(ports, Ports(distinct.begin(), distinct.end())) << "in order";
  EXPECT_EQ(take_ports(one, 1), Ports{0});
}

TEST(PortPool, at_random_all_parts_of_the_range_are_used_alike) {
  FakeHost host;
  PortPool pool{{interface({kFirst}, {10000, 25998})}, {.seed = 7}, host.bind()};
  std::array<int, 8> thousands{};
  for (const int port : take_ports(pool, 4000)) ++thousands[static_cast<std::size_t>(port - 10000) / 2000];
  for (const int count : thousands) EXPECT_NEAR(count, 500, 100);
}

TEST(PortPool, a_pair_rests_before_it_is_used_again) {
  FakeHost host;
  PortPool pool{{interface({kFirst}, {10000, 10004})}, {.order = PortOrder::sequential, .rest = 5s}, host.bind()};
  EXPECT_EQ(take_ports(pool, 1), Ports{10000});
  pool.give_back({kFirst, Port{10000}}, kStart);
  EXPECT_EQ(take_ports(pool, 1), Ports{10002});
  pool.give_back({kFirst, Port{10002}}, kStart + 1s);
  EXPECT_EQ(take_ports(pool, 1, kStart + 1s), Ports{10004});
  EXPECT_EQ(pool.statistics().taken_while_resting, 0u);
  EXPECT_EQ(take_ports(pool, 1, kStart + 5s), Ports{10000}) << "rested";
  EXPECT_EQ(pool.statistics().taken_while_resting, 0u);
  EXPECT_EQ(take_ports(pool, 2, kStart + 5s), (Ports{10002, 0})) << "rest is a preference";
  EXPECT_EQ(pool.statistics().taken_while_resting, 1u);
}

TEST(PortPool, when_only_resting_pairs_are_left_the_longest_rested_is_taken) {
  FakeHost host;
  PortPool pool{{interface({kFirst}, {10000, 10004})}, {.order = PortOrder::sequential, .rest = 5s}, host.bind()};
  take_ports(pool, 3);
  pool.give_back({kFirst, Port{10004}}, kStart);
  pool.give_back({kFirst, Port{10000}}, kStart + 1s);
  EXPECT_EQ(take_ports(pool, 3, kStart + 2s), (Ports{10004, 10000, 0}));
}

TEST(PortPool, a_port_of_somebody_else_is_passed_over_and_tried_again_later) {
  struct Case {
    const char* name;
    std::uint16_t port;
    int error;
  };
  for (const Case& c : {Case{"RTP in use", 10000, EADDRINUSE}, Case{"RTCP in use", 10001, EADDRINUSE},
                        Case{"RTP forbidden", 10000, EACCES}, Case{"RTCP not permitted", 10001, EPERM}}) {
    FakeHost host;
    PortPool pool{{interface({kFirst}, {10000, 10002})}, {.order = PortOrder::sequential, .rest = 5s}, host.bind()};
    host.refusals[c.port] = c.error;
    EXPECT_EQ(take_ports(pool, 2), (Ports{10002, 0})) << c.name;
    EXPECT_EQ(pool.statistics().passed_over, 1u) << c.name;
    EXPECT_EQ(pool.statistics().in_use, 1u) << c.name;
    host.refusals.clear();
    EXPECT_EQ(take_ports(pool, 1, kStart + 5s), Ports{10000}) << c.name;
  }
}

TEST(PortPool, a_range_that_another_program_holds_is_not_tried_anew_for_each_call) {
  FakeHost host;
  PortPool pool{{interface({kFirst}, {10000, 11998})}, {.rest = 5s}, host.bind()};
  for (std::uint16_t port = 10000; port < 12000; ++port) host.refusals[port] = EADDRINUSE;
  EXPECT_EQ(take_ports(pool, 100), Ports(100, 0));
  EXPECT_EQ(host.binds, 1000);
  EXPECT_EQ(take_ports(pool, 1, kStart + 5s), Ports{0});
  EXPECT_EQ(host.binds, 2000);
}

TEST(PortPool, without_rest_a_foreign_range_still_ends_the_search) {
  FakeHost host;
  PortPool pool{{interface({kFirst}, {10000, 10006})}, {.rest = 0ms}, host.bind()};
  for (std::uint16_t port = 10000; port < 10008; ++port) host.refusals[port] = EADDRINUSE;
  EXPECT_EQ(take_ports(pool, 1), Ports{0});
  EXPECT_EQ(host.binds, 4);
}

TEST(PortPool, any_other_refusal_ends_the_search_and_leaves_nothing_taken) {
  FakeHost host;
  PortPool pool{{interface({kFirst}, {10000, 10002})}, {.order = PortOrder::sequential}, host.bind()};
  host.refusals[10001] = EMFILE;
  EXPECT_EQ(take_ports(pool, 1), Ports{1});
  ASSERT_TRUE(pool.last_failure());
  EXPECT_EQ(pool.last_failure()->message(), "bind 127.0.0.1:10001: Too many open files");
  EXPECT_EQ(pool.statistics().failed, 1u);
  EXPECT_EQ(pool.statistics().in_use, 0u);
  host.refusals.clear();
  EXPECT_EQ(take_ports(pool, 3), (Ports{10002, 10000, 0}));
}

TEST(PortPool, the_same_port_on_two_addresses_has_two_owners) {
  FakeHost host;
  PortPool pool{{interface({kFirst, kSecond}, {10000, 10000})}, {}, host.bind()};
  const auto one = pool.take(pool.interfaces().front(), kStart);
  const auto two = pool.take(pool.interfaces().front(), kStart);
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->rtp, (Endpoint{kFirst, Port{10000}}));
  EXPECT_EQ(two->rtp, (Endpoint{kSecond, Port{10000}}));
  EXPECT_EQ(take_ports(pool, 1), Ports{0});
}

TEST(PortPool, calls_go_to_the_address_that_is_used_least) {
  FakeHost host;
  PortPool pool{{interface({kFirst, kSecond}, {10000, 10998})}, {}, host.bind()};
  std::map<std::string, int> calls;
  for (int i = 0; i < 100; ++i) ++calls[pool.take(pool.interfaces().front(), kStart)->rtp.address.to_string()];
  EXPECT_EQ(calls["127.0.0.1"], 50);
  EXPECT_EQ(calls["127.0.0.2"], 50);
}

TEST(PortPool, ranges_that_overlap_on_one_address_never_give_a_pair_twice) {
  FakeHost host;
  PortPool pool{{interface({kFirst}, {10000, 10004}, "a"), interface({kFirst}, {10002, 10006}, "b")}, {}, host.bind()};
  std::set<int> ports;
  for (int i = 0; i < 4; ++i) {
    const auto pair = pool.take(*pool.find(i % 2 == 0 ? "b" : "a"), kStart);
    if (pair) ports.insert(pair->rtp.port.value());
  }
  EXPECT_EQ(ports.size(), pool.statistics().in_use);
  EXPECT_GE(ports.size(), 3u);
}

TEST(PortPool, giving_back_what_is_not_taken_changes_nothing) {
  FakeHost host;
  PortPool pool{{interface({kFirst}, {10000, 10000})}, {.rest = 0ms}, host.bind()};
  take_ports(pool, 1);
  for (const auto& stranger : {Endpoint{kSecond, Port{10000}}, Endpoint{kFirst, Port{10001}},
                               Endpoint{kFirst, Port{10002}}, Endpoint{kFirst, Port{65535}}, Endpoint{}}) {
    pool.give_back(stranger, kStart);
    EXPECT_EQ(pool.statistics().in_use, 1u) << stranger.to_string();
  }
  pool.give_back({kFirst, Port{10000}}, kStart);
  pool.give_back({kFirst, Port{10000}}, kStart);
  EXPECT_EQ(pool.statistics().in_use, 0u);
  EXPECT_EQ(take_ports(pool, 2), (Ports{10000, 0}));
}

TEST(PortPool, an_interface_is_found_by_name_by_address_and_by_the_wildcard) {
  FakeHost host;
  PortPool pool{{interface({Address::any(Family::ipv4)}, {10000, 10000}, "any"),
                 interface({kFirst, kSecond}, {10000, 10000}, "lan")},
                {},
                host.bind()};
  EXPECT_EQ(pool.find("lan")->name, "lan");
  EXPECT_EQ(pool.find("wan"), nullptr);
  EXPECT_EQ(pool.find(kSecond)->name, "lan");
  EXPECT_EQ(pool.find(Address::ipv4(0x0a000001))->name, "any");
  EXPECT_EQ(pool.find(*Address::parse("::1")), nullptr);
  EXPECT_EQ(pool.find(Address{}), nullptr);
}

TEST(PortPool, an_exact_address_has_a_range_of_its_own) {
  FakeHost host;
  PortPool pool{{interface({kFirst}, {10000, 10000})}, {}, host.bind()};
  const auto pair = pool.take(kSecond, {20000, 20000}, kStart);
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->rtp, (Endpoint{kSecond, Port{20000}}));
  EXPECT_EQ(pool.take(kSecond, {20000, 20000}, kStart).error(), PortError::exhausted);
  pool.give_back(pair->rtp, kStart);
  EXPECT_EQ(pool.statistics().in_use, 0u);
}

// A named port, with or without RTCP above it.
int name_port(PortPool& pool, std::uint16_t port, bool rtcp, TimePoint now = kStart) {
  const Endpoint rtp{kFirst, Port{port}};
  const auto taken = pool.take_named(rtp, now);
  if (!taken) return taken.error().code;
  if (!rtcp) return 0;
  const auto above = pool.take_rtcp_of(rtp, now);
  return above ? 0 : above.error().code;
}

TEST(PortPool, a_named_port_is_taken_whatever_its_parity_its_range_and_its_rest) {
  FakeHost host;
  PortPool pool{{interface({kFirst}, {10000, 10004})}, {.order = PortOrder::sequential, .rest = 5s}, host.bind()};
  take_ports(pool, 1);
  pool.give_back({kFirst, Port{10000}}, kStart);
  for (const int port : {10000, 5003, 40000, 65534}) {
    EXPECT_EQ(name_port(pool, static_cast<std::uint16_t>(port), true), 0) << port;
  }
  EXPECT_EQ(name_port(pool, 65535, false), EADDRINUSE) << "the RTCP port of 65534";
  EXPECT_EQ(name_port(pool, 5004, false), EADDRINUSE);
  EXPECT_EQ(pool.statistics().in_use, 4u);
  EXPECT_EQ(take_ports(pool, 3), (Ports{10002, 10004, 0})) << "10000 is in use";
}

TEST(PortPool, a_named_odd_port_holds_both_pairs_that_it_touches_until_it_is_given_back) {
  FakeHost host;
  PortPool pool{{interface({kFirst}, {10000, 10004})}, {.order = PortOrder::sequential, .rest = 5s}, host.bind()};
  EXPECT_EQ(name_port(pool, 10001, true), 0);  // with 10002
  EXPECT_EQ(take_ports(pool, 2), (Ports{10004, 0}));
  EXPECT_EQ(name_port(pool, 10000, false), 0) << "the other half of a pair is free for who names it";
  pool.give_back({kFirst, Port{10002}}, kStart);
  EXPECT_EQ(pool.statistics().in_use, 3u) << "the RTCP port goes with its RTP port";
  pool.give_back({kFirst, Port{10001}}, kStart);
  EXPECT_EQ(take_ports(pool, 1, kStart + 1s), Ports{10002}) << "rests, but nothing else is left";
  EXPECT_EQ(pool.statistics().taken_while_resting, 1u);
  EXPECT_EQ(take_ports(pool, 1, kStart + 9s), Ports{0}) << "10000 is still in use";
  pool.give_back({kFirst, Port{10000}}, kStart + 9s);
  EXPECT_EQ(take_ports(pool, 1, kStart + 20s), Ports{10000});
}

TEST(PortPool, a_named_port_that_cannot_be_had_leaves_nothing_taken) {
  FakeHost host;
  PortPool pool{{interface({kFirst}, {10000, 10000})}, {.rest = 0ms}, host.bind()};
  host.refusals = {{5000, EADDRINUSE}, {80, EACCES}, {5002, EMFILE}};
  EXPECT_EQ(name_port(pool, 5000, true), EADDRINUSE);
  EXPECT_EQ(name_port(pool, 80, true), EACCES);
  EXPECT_EQ(name_port(pool, 5002, true), EMFILE);
  EXPECT_EQ(pool.statistics().failed, 1u);
  EXPECT_EQ(pool.statistics().in_use, 0u);
  take_ports(pool, 1);
  EXPECT_EQ(name_port(pool, 10001, false), EADDRINUSE) << "the RTCP port of a call";
}

TEST(PortPool, an_rtcp_port_may_be_given_back_before_its_rtp_port) {
  FakeHost host;
  PortPool pool{{interface({kFirst}, {10000, 10002})}, {.order = PortOrder::sequential, .rest = 0ms}, host.bind()};
  take_ports(pool, 1);
  EXPECT_EQ(name_port(pool, 5000, true), 0);
  for (const std::uint16_t port : {std::uint16_t{10000}, std::uint16_t{5000}}) {
    pool.give_back_rtcp_of({kFirst, Port{port}}, kStart);
    const auto above = static_cast<std::uint16_t>(port + 1);
    EXPECT_EQ(name_port(pool, above, false), 0) << above;
    pool.give_back({kFirst, Port{port}}, kStart);
    pool.give_back({kFirst, Port{above}}, kStart);
  }
  EXPECT_EQ(pool.statistics().in_use, 0u);
  EXPECT_EQ(take_ports(pool, 3), (Ports{10002, 10000, 0}));
}

TEST(PortPool, there_is_no_rtcp_port_above_the_last_port) {
  FakeHost host;
  PortPool pool{{interface({kFirst}, {10000, 10000})}, {}, host.bind()};
  const Endpoint last{kFirst, Port{65535}};
  ASSERT_TRUE(pool.take_named(last, kStart));
  EXPECT_EQ(pool.take_rtcp_of(last, kStart).error().message(), "there is no port above 65535");
}

TEST(PortPool, tcp_ports_have_books_of_their_own_in_which_the_wildcard_meets_everybody) {
  FakeHost host;
  PortPool pool{{interface({kFirst}, {10000, 10002})},
                {.order = PortOrder::sequential, .rest = 5s},
                host.bind(),
                {.listen = host.bind(), .reserve = host.bind()}};
  const PortRange range = pool.interfaces().front().range;
  const auto take = [&](Address address, std::uint16_t port, TimePoint now = kStart) {
    const auto taken = pool.take_stream({address, Port{port}}, StreamRole::reservation, range, now);
    return taken ? int{taken->local.port.value()} : -1;
  };
  const Address any = Address::any(Family::ipv4);
  EXPECT_EQ(name_port(pool, 5001, true), 0);
  EXPECT_EQ(take(kFirst, 5001), 5001) << "UDP has one of the same number";
  EXPECT_EQ(take(kFirst, 5001), -1);
  EXPECT_EQ(take(any, 5001), -1);
  EXPECT_EQ(take(kSecond, 5001), 5001);
  EXPECT_EQ(take(any, 6001), 6001);
  EXPECT_EQ(take(kFirst, 6001), -1);
  EXPECT_EQ(take(kFirst, 0), 10000);
  EXPECT_EQ(take(any, 0), 10002);
  EXPECT_EQ(take(kFirst, 0), -1) << "exhausted";
  EXPECT_EQ(pool.statistics().in_use, 6u);

  pool.give_back({kFirst, Port{10000}}, kStart);
  EXPECT_EQ(pool.statistics().in_use, 6u) << "not retired";
  pool.retire_stream({kFirst, Port{10000}});
  pool.retire_stream({kFirst, Port{5001}});
  pool.give_back({kFirst, Port{10000}}, kStart);
  pool.give_back({kFirst, Port{5001}}, kStart);
  EXPECT_EQ(pool.statistics().in_use, 4u);
  EXPECT_EQ(name_port(pool, 5001, false), EADDRINUSE) << "the UDP port stays";
  EXPECT_EQ(take(kFirst, 5001), 5001);
  EXPECT_EQ(take(kFirst, 0), 10000) << "rests, but is the last one";
}

TEST(PortTable, one_pair_need_not_rest_any_longer) {
  PortTable table;
  table.rest(60, kStart, false);
  table.rest(61, kStart, true);
  table.wake_pair(61);
  table.wake_pair(62);
  EXPECT_TRUE(table.is_free(61));
  EXPECT_FALSE(table.is_free(60));
  table.wake(kStart);
  EXPECT_TRUE(table.idle());
}

TEST(PortTable, the_next_free_pair_is_found_across_words_and_round_the_end) {
  PortTable table;
  const PairRange range{60, 200};
  for (std::size_t pair = 60; pair <= 190; ++pair) table.use(pair);
  EXPECT_EQ(table.next_free(range, 60), 191u);
  EXPECT_EQ(table.next_free(range, 0), 191u) << "a start outside begins at the first";
  EXPECT_EQ(table.next_free(range, 195), 195u);
  table.rest(63, kStart, false);
  for (std::size_t pair = 191; pair <= 200; ++pair) table.use(pair);
  EXPECT_EQ(table.next_free(range, 100), std::nullopt) << "63 rests";
  table.wake(kStart);
  EXPECT_EQ(table.next_free(range, 100), 63u) << "round the end";
  EXPECT_EQ(table.next_free({60, 62}, 60), std::nullopt);
}

}  // namespace
}  // namespace millrace::net
