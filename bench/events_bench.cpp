// What the event stream costs: control for each change, and the hub's thread for each event with no reader, one, and a
// thousand. Readers take what they get within `ready`, on the hub's thread, so that all of an event's way is in it.
#include <benchmark/benchmark.h>
#include <time.h>

#include <memory>
#include <thread>
#include <vector>

#include "events/hub.hpp"
#include "events/tap.hpp"
#include "events/testing.hpp"

namespace millrace::events {
namespace {

constexpr std::uint64_t kPerTurn = 64;                // changes that control notes between two hand_over()s
constexpr std::uint64_t kMostAhead = kRingNotes / 2;  // of the hub, so that nothing waits at the tap

// A subscription that is emptied whenever it has something.
struct Reader {
  Reader(Hub& hub, Filter filter)
      : subscription{hub.subscribe(std::move(filter), std::nullopt,
                                   [this] {
                                     while (subscription->take()) ++taken;
                                   })
                         .value()} {}
  std::uint64_t taken = 0;
  std::unique_ptr<Subscription> subscription;
};

enum class Wants { everything, nothing };

template <Wants kWants>
void fan_out(benchmark::State& state) {
  const auto hub = Hub::start({}).value();
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < state.range(0); ++i) {
    readers.push_back(std::make_unique<Reader>(
        *hub, Filter{.wants = [](const Event&) { return kWants == Wants::everything; }, .calls = false}));
  }
  const session::Change change = testing::lifecycle(1);
  std::uint64_t told = 0;
  for (auto _ : state) {
    for (std::uint64_t i = 0; i < kPerTurn; ++i) hub->tap().on_change(change);
    hub->hand_over();
    told += kPerTurn;
    while (hub->last_sequence() + kMostAhead < told) std::this_thread::yield();
  }
  hub->close();
  for (const auto& reader : readers) {
    while (reader->subscription->end() == EndOfStream::none) std::this_thread::yield();
    if (kWants == Wants::everything && reader->taken != told) state.SkipWithError("events were lost");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kPerTurn));
}
BENCHMARK(fan_out<Wants::everything>)->Name("fan_out")->Arg(0)->Arg(1)->Arg(1000)->UseRealTime();
BENCHMARK(fan_out<Wants::nothing>)->Name("fan_out/filtered")->Arg(1)->Arg(1000)->UseRealTime();

double thread_cpu_seconds() {
  timespec at{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) + 1e-9 * static_cast<double>(at.tv_nsec);
}

// What control pays for each change, without making its View: of a session, and of a call that nobody asked for.
void control(benchmark::State& state) {
  const auto hub = Hub::start({}).value();
  const bool session = state.range(0) != 0;
  const session::Change change = testing::change(session::ConnectionUpdated{}, testing::view_of(1, session));
  std::uint64_t told = 0;
  for (auto _ : state) {
    const double began = thread_cpu_seconds();
    for (std::uint64_t i = 0; i < kPerTurn; ++i) {
      if (hub->tap().wants({.kind = session::ChangeKind::updated, .call_id = "", .session = session})) {
        hub->tap().on_change(change);
      }
    }
    hub->hand_over();
    state.SetIterationTime(thread_cpu_seconds() - began);
    if (session) told += kPerTurn;
    while (hub->last_sequence() + kMostAhead < told) std::this_thread::yield();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kPerTurn));
}
BENCHMARK(control)->ArgName("session")->Arg(1)->Arg(0)->UseManualTime();

}  // namespace
}  // namespace millrace::events

BENCHMARK_MAIN();
