#include "mrload/generator.hpp"

#include <poll.h>

#include <algorithm>
#include <cmath>

namespace millrace::mrload {
namespace {

constexpr std::size_t kSendBatch = 32;       // longer ones add to the delay of their last packet
constexpr std::size_t kReceiveBatch = 64;
constexpr std::chrono::microseconds kSpinBelow{200};   // a shorter pause is not worth a wake-up
constexpr std::chrono::microseconds kSpinStep{25};
constexpr std::chrono::milliseconds kQuiet{500}, kLongestDrain{3'000};
constexpr std::chrono::seconds kLongestDelay{10};  // a full second is possible behind an overloaded relay

TimePoint now() { return read_clocks().mono; }

std::uint64_t wall_ns() { return static_cast<std::uint64_t>(read_clocks().wall.time_since_epoch().count()); }

std::uint64_t rounds_of(std::chrono::duration<double> time, double per_second) {
  return static_cast<std::uint64_t>(std::ceil(time.count() * per_second));
}

}  // namespace

Generator::Generator(const MediaSockets& sockets, const std::vector<Sides>& send_to, const Traffic& traffic)
    : sockets_{sockets},
      traffic_{traffic},
      streams_count_{std::uint64_t{2} * traffic.calls},
      warm_up_packets_{rounds_of(traffic.warm_up, traffic.per_side) * streams_count_},
      total_packets_{warm_up_packets_ +
                     std::max<std::uint64_t>(rounds_of(traffic.duration, traffic.per_side), 1) * streams_count_},
      incoming_{kReceiveBatch},
      arrivals_{streams_count_} {
  for (std::uint32_t call = 0; call < traffic.calls; ++call) {
    const Sides& own = sockets.local()[call % sockets.pairs()];
    const bool direct = send_to.empty();
    // What the caller sends comes out of the port that the callee sends to, and the other way round.
    const Sides to = direct ? Sides{own[1], own[0]} : send_to[call];
    const Sides from = direct ? own : Sides{to[1], to[0]};
    for (std::size_t side = 0; side < 2; ++side)
      streams_.push_back({SocketAddress::of(to[side]), SocketAddress::of(from[side])});
  }
  const auto size = kRtpHeaderSize + traffic.payload;
  for (std::size_t i = 0; i < 2 * sockets.pairs(); ++i) {
    auto& batch = batches_.emplace_back(kSendBatch, size);
    const SocketAddress nowhere;
    while (!batch.full()) fill_silence(batch.add(nowhere));
    batch.clear();
  }
}

std::expected<Counts, SysError> Generator::run(const std::function<void()>& on_edge) {
  const auto overrun_before = sockets_.overrun();
  Pacer pacer{now(), traffic_.packets_per_second(), traffic_.tick};
  bool measuring = false;
  TimePoint began{};
  while (sent_ < total_packets_) {
    const auto at = now();
    if (!measuring && sent_ >= warm_up_packets_) {
      on_edge();
      measuring = true;
      began = at;
    }
    const auto until = measuring ? total_packets_ : warm_up_packets_;
    const auto count = std::min({pacer.due(at), until - sent_, std::uint64_t{kSendBatch} * batches_.size()});
    if (auto sent = send(count); !sent) return std::unexpected{sent.error()};
    pacer.sent(count);
    if (!receive() && count == 0) wait(pacer.next(), at);
  }
  counts_.sending = now() - began;
  on_edge();
  counts_.slipped = pacer.slipped();
  drain();
  counts_.warm_up_lost = warm_up_packets_ - warm_up_received_;
  counts_.overrun = sockets_.overrun() - overrun_before;
  return std::move(counts_);
}

std::expected<void, SysError> Generator::send(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i, ++sent_) {
    // All callers, then all callees, so that the two packets of a call are half a round apart.
    const auto place = static_cast<std::uint32_t>(sent_ % streams_count_);
    const auto stream = place < traffic_.calls ? 2 * place : 2 * (place - traffic_.calls) + 1;
    const auto number = static_cast<std::uint32_t>(sent_ / streams_count_);
    const auto socket = socket_of(stream);
    SendBatch& batch = batches_[socket];
    write_probe({traffic_.run, stream, number, wall_ns()}, batch.add(streams_[stream].to));
    if (sent_ >= warm_up_packets_) ++counts_.sent[stream % 2];
    if (batch.full()) {
      if (auto sent = batch.flush(sockets_.socket(socket / 2, socket % 2)); !sent) return sent;
    }
  }
  for (std::size_t i = 0; i < batches_.size(); ++i) {
    if (batches_[i].size() == 0) continue;
    if (auto sent = batches_[i].flush(sockets_.socket(i / 2, i % 2)); !sent) return sent;
  }
  return {};
}

bool Generator::receive() {
  bool any = false;
  for (std::size_t pair = 0; pair < sockets_.pairs(); ++pair) {
    for (std::size_t side = 0; side < 2; ++side) {
      const auto count = incoming_.receive(sockets_.socket(pair, side));
      for (std::size_t i = 0; i < count; ++i) on_packet(incoming_[i], pair, side);
      any |= count != 0;
    }
  }
  return any;
}

void Generator::on_packet(const Received& packet, std::size_t pair, std::size_t side) {
  const auto probe = read_probe(packet.bytes);
  if (!probe || probe->run != traffic_.run || probe->stream >= streams_count_ ||
      packet.bytes.size() != kRtpHeaderSize + traffic_.payload) {
    ++counts_.foreign;
    return;
  }
  const auto stream = probe->stream;
  const bool here = socket_of(stream ^ 1) == 2 * pair + side;
  if (!here || !streams_[stream].arrives_from.same_as(packet.from)) {
    ++counts_.wrong;
    return;
  }
  if (!arrivals_.note(stream, probe->number)) {
    ++counts_.duplicates;
    return;
  }
  if (probe->number * streams_count_ < warm_up_packets_) {
    ++warm_up_received_;
    return;
  }
  ++counts_.received[stream % 2];
  if (!packet.stamp) return;
  const auto delay = *packet.stamp - Nanoseconds{static_cast<std::int64_t>(probe->sent_ns)};
  if (delay < Nanoseconds{0} || delay > kLongestDelay) {
    ++counts_.bad_stamps;
  } else {
    counts_.delay.add(delay);
  }
}

void Generator::wait(TimePoint next, TimePoint at) const {
  const auto pause = next - at;
  if (pause < kSpinBelow) {
    const auto until = std::min(next, at + kSpinStep);
    while (now() < until) continue;   // reads the clock without a system call
    return;
  }
  std::vector<pollfd> sockets;
  for (std::size_t i = 0; i < batches_.size(); ++i) sockets.push_back({sockets_.socket(i / 2, i % 2), POLLIN, 0});
  const auto early = pause - std::chrono::microseconds{100};   // the rest is spun away, or the wake-up comes late
  const timespec timeout{early / std::chrono::seconds{1}, (early % std::chrono::seconds{1}).count()};
  (void)::ppoll(sockets.data(), sockets.size(), &timeout, nullptr);
}

// Until all have come back, or none for a while.
void Generator::drain() {
  const auto began = now();
  auto last = began;
  while (true) {
    const auto at = now();
    if (receive()) last = at;
    const bool all = counts_.all_received() == counts_.all_sent() && warm_up_received_ == warm_up_packets_;
    if (all || at - last > kQuiet || at - began > kLongestDrain) return;
    wait(at + std::chrono::milliseconds{1}, at);
  }
}

}  // namespace millrace::mrload
