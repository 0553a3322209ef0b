// The text protocol from the datagram to the answer, with real calls behind it: splitting, decoding, the session and
// encoding. The input is a list of datagrams behind one another, with a record separator (0x1e) between them; each
// takes a second of call time.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "control/rtpproxy/server.hpp"
#include "session/calls.hpp"

namespace {

using namespace millrace;
using namespace millrace::control::rtpproxy;

constexpr char kBetween = 0x1e;

// Carries nothing; ends what it is told to end on the next turn, as workers do.
class NoForwarder final : public flow::Forwarder {
 public:
  [[nodiscard]] bool accepts_new() const override { return true; }
  void install(flow::Installation installation) override {
    const ConnectionId id = installation.plan->id;
    plans_[id.value()] = std::move(installation.plan);
  }
  void remove(ConnectionId connection) override { removed_.push_back(connection); }

  void turn(session::Calls& calls, Now now) {
    for (const ConnectionId id : std::exchange(removed_, {})) {
      if (const auto plan = plans_.find(id.value()); plan != plans_.end()) {
        for (const flow::PortPlan& port : plan->second->ports) calls.on(flow::PortClosed{port.local}, now);
        plans_.erase(plan);
      }
      calls.on(flow::Removed{id}, now);
    }
  }

 private:
  std::map<std::uint64_t, std::unique_ptr<const flow::FlowPlan>> plans_;
  std::vector<ConnectionId> removed_;
};

// Two interfaces with few ports, so that running out of them is part of what is tried.
net::PortPool make_ports() {
  const auto interface = [](std::string name, std::string_view address) {
    net::Interface result;
    result.name = std::move(name);
    result.addresses = {*net::Address::parse(address)};
    result.range = {.first = 20000, .last = 20014};
    return result;
  };
  return net::PortPool{{interface("internal", "192.0.2.1"), interface("external", "2001:db8::1")},
                       {.order = net::PortOrder::sequential, .rest = {}, .seed = 0},
                       [](const net::Endpoint&) { return net::UniqueFd{}; }};
}

// A line of its own, whatever was asked; only `I` answers with several.
void check_answer(std::string_view answer) {
  MR_CHECK(!answer.empty() && answer.back() == '\n');
  const auto lines = std::ranges::count(answer, '\n');
  MR_CHECK(lines == 1 || answer.starts_with("sessions created: "));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const NotifyTargets kTargets =
      *NotifyTargets::parse(std::vector<std::string>{"/run/n.sock", "tcp:%%CC_SELF%%:9000"});
  const session::Settings settings;
  net::PortPool ports = make_ports();
  NoForwarder forwarder;
  flow::CounterArena counters;
  session::Calls calls{settings, ports, forwarder, counters};
  Now now{TimePoint{std::chrono::hours{1}}, WallTime{std::chrono::hours{1}}};
  Server server{session_of(calls, [&] { return now; }), {.targets = kTargets, .bridging = true}};

  std::string_view rest{reinterpret_cast<const char*>(data), size};
  while (!rest.empty()) {
    const std::string_view datagram = rest.substr(0, rest.find(kBetween));
    rest.remove_prefix(std::min(datagram.size() + 1, rest.size()));
    const control::Split split = server.split(datagram);
    MR_CHECK(split.cookie.size() + split.body.size() <= datagram.size());
    std::string answer;
    server.serve(split.body, {}, answer);
    check_answer(answer);
    calls.flush();
    forwarder.turn(calls, now);
    now.mono += std::chrono::seconds{1};
    now.wall += std::chrono::seconds{1};
    calls.tick(now);
    forwarder.turn(calls, now);
  }
  std::string answer;
  server.serve("X", {}, answer);
  MR_CHECK(answer == "0\n" && calls.totals().active_connections == 0);
  return 0;
}
