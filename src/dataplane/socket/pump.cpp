// Unframed streams: bytes from one end to the other inside the kernel. What was read is written before more is read,
// so at most one pipe of bytes is under way in a direction; a peer that does not read stops the other from sending.
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "dataplane/socket/counting.hpp"
#include "dataplane/socket/streams.hpp"

namespace millrace::dataplane {

using flow::Count;

namespace {

// One event moves no more than this, so that a fast stream does not keep a worker from its packets.
constexpr std::size_t kBytesPerEvent = kPipeBytes;
// A stream that the rate limit has stopped goes on when so much of a second's worth may leave.
constexpr std::uint64_t kSharesPerSecond = 100;

bool is_blocked(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

// What may be read now; 0: the rate limit says wait, and a deadline is set.
std::size_t Streams::allowance(StreamEnd& from, Now now) {
  Limits* limits = from.pair->connection->limits.get();
  if (limits == nullptr) return kBytesPerEvent;
  flow::TokenBucket& bits = limits->of(from.port->slot).bits();
  if (!bits.is_set()) return kBytesPerEvent;
  // A share at a time: else the limit would be met byte by byte. A full bucket lets any share pass.
  const std::uint64_t share = std::max<std::uint64_t>(bits.per_second() / kSharesPerSecond, 8);
  if (bits.fits(share, now.mono)) {
    const std::uint64_t bytes = std::max(bits.available(now.mono), share) / 8;
    return static_cast<std::size_t>(std::min<std::uint64_t>(bytes, kBytesPerEvent));
  }
  from.throttled = true;
  deadlines_.set(from, bits.when(share, now.mono));
  return 0;
}

// Reads what there is, and writes it.
Streams::Broken Streams::fill(StreamEnd& from, Now now) {
  const std::size_t allowed = allowance(from, now);
  if (allowed == 0) return {};
  from.pipe = pipes_.borrow();
  if (!from.pipe) return fill_without_pipe(from, allowed, now);

  const std::size_t wanted = std::min(allowed, from.pipe->capacity);
  const ssize_t count =
      ::splice(from.socket.get(), nullptr, from.pipe->in.get(), nullptr, wanted, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  if (count <= 0) {
    const int error = errno;
    pipes_.give_back(std::move(from.pipe), true);
    if (count == 0) from.ended = true;
    // Nothing is there, or a byte that the peer has sent as urgent: splice() never passes one, reading does.
    if (count < 0 && is_blocked(error)) return fill_without_pipe(from, allowed, now);
    return count == 0 ? Broken{} : Broken{&from, error};
  }
  from.in_pipe = static_cast<std::size_t>(count);
  from.read_at = now.mono;
  count_read(from, from.in_pipe, now);
  return drain(from);
}

// Writes what waits in the pipe of `from`.
Streams::Broken Streams::drain(StreamEnd& from) {
  StreamEnd& to = from.pair->other(from);
  if (!from.pipe) {   // it had none to wait in: the bytes are still where they arrived
    from.held_up = false;
    return {};
  }
  while (from.in_pipe > 0) {
    const ssize_t count = ::splice(from.pipe->out.get(), nullptr, to.socket.get(), nullptr, from.in_pipe,
                                   SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    if (count <= 0) {
      from.held_up = true;
      return count < 0 && !is_blocked(errno) ? Broken{&to, errno} : Broken{};
    }
    from.in_pipe -= static_cast<std::size_t>(count);
    count_out(to, static_cast<std::size_t>(count));
  }
  from.held_up = false;
  pipes_.give_back(std::move(from.pipe), true);
  count_relayed(from);
  return {};
}

// Bytes are looked at, sent, and only then taken: what the other end does not take stays in the kernel's buffer.
Streams::Broken Streams::fill_without_pipe(StreamEnd& from, std::size_t at_most, Now now) {
  StreamEnd& to = from.pair->other(from);
  const std::size_t wanted = std::min(at_most, scratch_.size());
  const ssize_t seen = ::recv(from.socket.get(), scratch_.data(), wanted, MSG_PEEK | MSG_DONTWAIT);
  if (seen == 0) from.ended = true;
  if (seen <= 0) return seen == 0 || is_blocked(errno) ? Broken{} : Broken{&from, errno};
  if (from.read_at == TimePoint{}) from.read_at = now.mono;

  const ssize_t sent =
      ::send(to.socket.get(), scratch_.data(), static_cast<std::size_t>(seen), MSG_DONTWAIT | MSG_NOSIGNAL);
  from.held_up = sent < seen;
  if (sent < 0) return is_blocked(errno) ? Broken{} : Broken{&to, errno};
  const auto count = static_cast<std::size_t>(sent);
  (void)::recv(from.socket.get(), scratch_.data(), count, MSG_TRUNC | MSG_DONTWAIT);
  count_read(from, count, now);
  count_out(to, count);
  count_relayed(from);
  return {};
}

void Streams::count_read(StreamEnd& from, std::size_t bytes, Now now) {
  if (Limits* limits = from.pair->connection->limits.get()) {
    limits->of(from.port->slot).bits().take(8 * std::uint64_t{bytes}, now.mono);
  }
  house_.statistics.packets_in.add();
  flow::CounterBlock& counters = *from.port->counters;
  counters.begin();
  count_arrival(counters, bytes, now);
  counters.end();
}

void Streams::count_out(StreamEnd& to, std::size_t bytes) {
  house_.statistics.packets_out.add();
  flow::CounterBlock& counters = *to.port->counters;
  counters.begin();
  counters.add(Count::packets_out);
  counters.add(Count::bytes_out, bytes);
  counters.end();
}

// All of a read has left: what it was here for is its latency, waiting for the other end included.
void Streams::count_relayed(StreamEnd& from) {
  const Nanoseconds latency = read_clocks().mono - std::exchange(from.read_at, TimePoint{});
  flow::CounterBlock& counters = *from.port->counters;
  counters.begin();
  counters.add(Count::packets_relayed);
  counters.add(Count::latency_count);
  counters.add(Count::latency_sum_ns, static_cast<std::uint64_t>(latency.count()));
  counters.end();
  house_.statistics.latency.record(latency);
}

}  // namespace millrace::dataplane
