#include "app/signals.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <csignal>
#include <vector>

namespace millrace::app {
namespace {

constexpr std::chrono::seconds kPatience{5};

// Raises each signal and runs what it asks for; the meanings, in order.
std::vector<Meaning> meanings(SignalTable table, std::initializer_list<int> signals) {
  boost::asio::io_context io{1};
  std::vector<Meaning> seen;
  const Signals listener{io, table, [&seen](Meaning meaning, int) { seen.push_back(meaning); }};
  for (const int signal : signals) {
    (void)std::raise(signal);
    const auto before = seen.size();
    while (seen.size() == before && io.run_one_for(kPatience) > 0) {}
  }
  return seen;
}

// Each in a process of its own: signal handlers are the process'.
void expect(SignalTable table, std::initializer_list<int> signals, const std::vector<Meaning>& wanted) {
  EXPECT_EXIT(std::exit(meanings(table, signals) == wanted ? 0 : 1), ::testing::ExitedWithCode(0), "");
}

TEST(SignalsDeathTest, millrace_drains_on_usr1_and_reloads_on_hup) {
  expect(SignalTable::millrace, {SIGUSR1, SIGHUP, SIGTERM}, {Meaning::drain, Meaning::reload, Meaning::stop});
  expect(SignalTable::millrace, {SIGINT, SIGTERM}, {Meaning::stop, Meaning::stop});
}

TEST(SignalsDeathTest, the_drop_in_drains_on_hup_and_stops_on_the_reference_s_list) {
  expect(SignalTable::rtpproxy, {SIGHUP, SIGUSR1}, {Meaning::drain, Meaning::stop});
  for (const int signal : {SIGTERM, SIGINT, SIGUSR2, SIGPROF, SIGVTALRM, SIGXCPU, SIGXFSZ}) {
    expect(SignalTable::rtpproxy, {signal}, {Meaning::stop});
  }
}

TEST(SignalsDeathTest, a_second_stop_of_the_drop_in_ends_it_at_once) {
  EXPECT_EXIT(meanings(SignalTable::rtpproxy, {SIGTERM, SIGINT}), ::testing::ExitedWithCode(128 + SIGINT), "");
  EXPECT_EXIT(meanings(SignalTable::rtpproxy, {SIGUSR1, SIGTERM}), ::testing::ExitedWithCode(128 + SIGTERM), "");
}

}  // namespace
}  // namespace millrace::app
