// `mrload --demo`: one call of five seconds through the daemon, shown as it runs. The caller sounds at 440 Hz, the
// callee at 660 Hz, both send RTCP; every packet is checked for its sound at the far end.

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <random>
#include <sstream>

#include "mrload/affinity.hpp"
#include "mrload/batch.hpp"
#include "mrload/control_socket.hpp"
#include "mrload/dialect.hpp"
#include "mrload/modes.hpp"
#include "mrload/party.hpp"
#include "net/udp.hpp"

namespace millrace::mrload {
namespace {

using namespace std::chrono_literals;

constexpr Nanoseconds kPacketTime = 20ms;
constexpr int kPackets = 250, kPacketsPerSecond = 50;
constexpr Nanoseconds kLastWait = 500ms;

struct Side {
  Party party;
  net::UniqueFd rtp, rtcp;
  net::Endpoint local;    // of RTP; RTCP is the next port
  net::Endpoint send_to;  // likewise, at the daemon
};

// An even port and the next one, RFC 3550 §11.
std::expected<void, std::string> open_ports(Side& side, const net::Address& address) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    auto rtp = net::bind_udp({address, Port{0}}, {});
    if (!rtp) return std::unexpected{rtp.error().message()};
    const auto local = net::local_endpoint(rtp->get());
    if (!local || local->port.value() % 2 != 0) continue;
    auto rtcp = net::bind_udp(local->next_port(), {});
    if (!rtcp) continue;
    side.rtp = std::move(*rtp);
    side.rtcp = std::move(*rtcp);
    side.local = *local;
    return {};
  }
  return std::unexpected{fmt::format("no even port with a free neighbour on {}", address.to_string())};
}

class Demo {
 public:
  Demo(ControlSocket control, std::uint32_t run, const net::Address& address)
      : control_{std::move(control)},
        call_{run, 1},
        address_{address},
        sides_{Side{Party{run | 1, 440}, net::UniqueFd{}, net::UniqueFd{}, {}, {}},
               Side{Party{run | 2, 660}, net::UniqueFd{}, net::UniqueFd{}, {}, {}}} {}

  std::expected<void, std::string> place();
  std::expected<void, std::string> talk();
  std::expected<void, std::string> hang_up();
  std::expected<void, std::string> conclude(const std::string& json_file) const;

 private:
  std::expected<net::Endpoint, std::string> ask_media(const std::string& request);
  std::expected<void, std::string> ask_counters();
  void send(const Side& from, std::span<const std::byte> datagram, bool rtcp) const;
  void listen(TimePoint until);
  void take(int socket, Party& speaker, bool rtcp);
  void show(int packet) const;
  void add_direction(Report& report, const std::string& key, const std::string& label, const Party& party) const;

  ControlSocket control_;
  CallName call_;
  net::Address address_;
  std::array<Side, 2> sides_;   // caller, callee
  std::unique_ptr<Dialect> dialect_ = make_rtpproxy_dialect();
  ReceiveBatch incoming_{16};
  std::string counters_;        // the daemon's own, in words
};

std::expected<net::Endpoint, std::string> Demo::ask_media(const std::string& request) {
  const auto reply = control_.ask(request);
  if (!reply) return std::unexpected{reply.error()};
  auto media = dialect_->media_address(*reply, control_.relay().address);
  if (!media) return std::unexpected{fmt::format("the daemon refused the demo call: {}", media.error())};
  return *media;
}

std::expected<void, std::string> Demo::place() {
  for (Side& side : sides_) {
    if (auto opened = open_ports(side, address_); !opened) return opened;
  }
  const auto for_callee = ask_media(dialect_->offer(call_, sides_[0].local));
  if (!for_callee) return std::unexpected{for_callee.error()};
  const auto for_caller = ask_media(dialect_->answer(call_, sides_[1].local));
  if (!for_caller) return std::unexpected{for_caller.error()};
  sides_[0].send_to = *for_caller;
  sides_[1].send_to = *for_callee;
  fmt::print("demo call mrload-{:08x}-{} through {}\n", call_.run, call_.number, control_.relay().to_string());
  fmt::print("  caller {} (440 Hz) <-> {} [millrace] {} <-> {} callee (660 Hz)\n", sides_[0].local.to_string(),
             for_caller->to_string(), for_callee->to_string(), sides_[1].local.to_string());
  return {};
}

std::expected<void, std::string> Demo::talk() {
  const auto began = read_clocks().mono;
  for (int packet = 0; packet < kPackets; ++packet) {
    for (Side& side : sides_) {
      send(side, side.party.next_packet(read_clocks().wall), false);
      if (packet % kPacketsPerSecond == 0) send(side, side.party.report(read_clocks().wall), true);
    }
    listen(began + (packet + 1) * kPacketTime);
    const bool last = packet + 1 == kPackets;
    if (last) listen(read_clocks().mono + kLastWait);
    if ((packet + 1) % kPacketsPerSecond == 0) {
      if (auto asked = ask_counters(); !asked) return asked;
    }
    show(packet + 1);
  }
  return {};
}

std::expected<void, std::string> Demo::ask_counters() {
  auto reply =
      control_.ask(fmt::format("Q mrload-{:08x}-{} f{};1 t{};1", call_.run, call_.number, call_.number, call_.number));
  if (!reply) return std::unexpected{reply.error()};
  if (reply->starts_with("E")) {
    return std::unexpected{fmt::format("the daemon lost the demo call while it ran: Q answered \"{}\"", *reply)};
  }
  // TTL, from the caller, from the callee, relayed, dropped.
  std::istringstream numbers{*reply};
  std::array<std::uint64_t, 5> value{};
  for (auto& number : value) numbers >> number;
  if (!numbers)
    return std::unexpected{fmt::format("the daemon's answer to Q is no list of five counters: \"{}\"", *reply)};
  counters_ = fmt::format("{} in, {} relayed, {} dropped", value[1] + value[2], value[3], value[4]);
  return {};
}

void Demo::send(const Side& from, std::span<const std::byte> datagram, bool rtcp) const {
  const auto to = SocketAddress::of(rtcp ? from.send_to.next_port() : from.send_to);
  // What is not sent is missed at the far end and counted there.
  (void)::sendto(rtcp ? from.rtcp.get() : from.rtp.get(), datagram.data(), datagram.size(), 0,
                 reinterpret_cast<const sockaddr*>(&to.bytes), to.length);
}

void Demo::listen(TimePoint until) {
  while (true) {
    for (std::size_t i = 0; i < 2; ++i) {
      take(sides_[i].rtp.get(), sides_[1 - i].party, false);
      take(sides_[i].rtcp.get(), sides_[1 - i].party, true);
    }
    const auto left = until - read_clocks().mono;
    const bool nothing_to_come = sides_[0].party.all_heard() && sides_[1].party.all_heard();
    if (left <= 0ns || (left > kPacketTime && nothing_to_come)) return;
    std::array<pollfd, 4> sockets{};
    for (std::size_t i = 0; i < 2; ++i) {
      sockets[2 * i] = {sides_[i].rtp.get(), POLLIN, 0};
      sockets[2 * i + 1] = {sides_[i].rtcp.get(), POLLIN, 0};
    }
    const timespec timeout{0, std::min<std::int64_t>(left.count(), 999'999'999)};
    (void)::ppoll(sockets.data(), sockets.size(), &timeout, nullptr);
  }
}

void Demo::take(int socket, Party& speaker, bool rtcp) {
  const auto count = incoming_.receive(socket);
  for (std::size_t i = 0; i < count; ++i) {
    const auto packet = incoming_[i];
    const auto at = packet.stamp ? WallTime{*packet.stamp} : read_clocks().wall;
    rtcp ? speaker.report_heard(packet.bytes) : speaker.heard(packet.bytes, at);
  }
}

// In place on a terminal, once a second elsewhere.
void Demo::show(int packet) const {
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  if (!terminal && packet % kPacketsPerSecond != 0) return;
  if (terminal && packet % 5 != 0) return;
  const auto& there = sides_[0].party.counts();
  const auto& back = sides_[1].party.counts();
  fmt::print(
      "{}  {:3.1f} s   caller to callee {}/{}   callee to caller {}/{}   RTCP {}/{}   daemon (ttl in in relayed "
      "dropped): {}{}",
      terminal ? "\r\033[K" : "", packet / static_cast<double>(kPacketsPerSecond), there.heard, there.sent, back.heard,
      back.sent, there.reports_heard + back.reports_heard, there.reports_sent + back.reports_sent,
      counters_.empty() ? "-" : counters_, terminal && packet != kPackets ? "" : "\n");
  std::fflush(stdout);
}

std::expected<void, std::string> Demo::hang_up() {
  const auto reply = control_.ask(dialect_->remove(call_));
  if (!reply) return std::unexpected{reply.error()};
  if (auto removed = dialect_->removed(*reply); !removed) {
    return std::unexpected{fmt::format("the daemon did not end the demo call: {}", removed.error())};
  }
  return {};
}

void Demo::add_direction(Report& report, const std::string& key, const std::string& label, const Party& party) const {
  const auto& counts = party.counts();
  const auto us = [](Nanoseconds time) { return static_cast<double>(time.count()) / 1e3; };
  report.add({key + "_sent", label + ": sent", counts.sent, "", ""});
  report.add({key + "_lost", "  lost", counts.sent - counts.heard, "", ""});
  report.add({key + "_damaged", "  damaged, doubled or foreign", counts.damaged, "", ""});
  report.add({key + "_delay_p50_us", "  one-way delay p50", us(counts.delay.percentile(0.5)), "us", ""});
  report.add({key + "_delay_p99_us", "  one-way delay p99", us(counts.delay.percentile(0.99)), "us", ""});
  report.add({key + "_rtcp_lost", "  RTCP lost", counts.reports_sent - counts.reports_heard, "",
              fmt::format("of {}", counts.reports_sent)});
}

std::expected<void, std::string> Demo::conclude(const std::string& json_file) const {
  Report report{"demo"};
  report.condition("relay", control_.relay().to_string());
  report.condition("caller", fmt::format("{} sends to {}", sides_[0].local.to_string(), sides_[0].send_to.to_string()));
  report.condition("callee", fmt::format("{} sends to {}", sides_[1].local.to_string(), sides_[1].send_to.to_string()));
  report.condition("daemon_counters", counters_);
  add_direction(report, "caller_to_callee", "caller to callee", sides_[0].party);
  add_direction(report, "callee_to_caller", "callee to caller", sides_[1].party);
  fmt::print("\n");
  if (auto published = report.publish(json_file); !published) return published;
  std::uint64_t lost = 0, damaged = 0;
  for (const Side& side : sides_) {
    const auto& counts = side.party.counts();
    lost += counts.sent - counts.heard + counts.reports_sent - counts.reports_heard;
    damaged += counts.damaged;
  }
  if (lost + damaged == 0) {
    fmt::print(
        "\nThe call is over; every packet arrived, with its sound unchanged.\n"
        "Look next: mrctl status, mrctl calls and mrctl call ID while calls run; README.md and docs/kamailio.md\n"
        "for a SIP server in front; mrload media --help for more calls than one.\n");
    return {};
  }
  return std::unexpected{
      fmt::format("the demo call lost {} packets and got {} wrong ones: mrctl doctor names what usually "
                  "causes that, the daemon's log says what it dropped",
                  lost, damaged)};
}

}  // namespace

std::expected<void, std::string> run_demo(const Options& options) {
  sleep_precisely();
  const std::uint32_t run = (std::random_device{}() | 0x8000'0000) & kRunMask;
  auto control = ControlSocket::open(options.relay, run);
  if (!control) return std::unexpected{control.error()};
  const auto version = control->ask("V");
  if (!version) return std::unexpected{version.error() + " Start it with ./mr run, or name another with --relay."};
  if (*version != "20040107") {
    return std::unexpected{
        fmt::format("udp {} answers \"{}\", which is not the rtpproxy protocol", options.relay.to_string(), *version)};
  }
  const auto address = options.relay.address.is_loopback()
                           ? options.relay.address
                           : net::source_towards(options.relay.address).value_or(options.relay.address);
  Demo demo{std::move(*control), run, address};
  if (auto placed = demo.place(); !placed) return placed;
  auto talked = demo.talk();
  auto hung_up = demo.hang_up();
  if (!talked) return talked;
  if (!hung_up) return hung_up;
  return demo.conclude(options.json_file);
}

}  // namespace millrace::mrload
