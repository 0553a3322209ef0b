// Framed streams (RFC 4571): packets are taken out and go the way of all packets; what leaves on one is put behind its
// length. A packet that the socket takes only a part of is kept, one a stream, and finished when it takes more.
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "base/check.hpp"
#include "dataplane/socket/datagram_io.hpp"
#include "dataplane/socket/streams.hpp"

namespace millrace::dataplane {

Streams::Broken Streams::read_packets(StreamEnd& end, Now now) {
  const auto room = end.framing->in.room();
  MR_CHECK(!room.empty());
  WallTime stamp;
  const ssize_t count = receive_stream(end.socket.get(), room, stamp);
  if (count == 0) end.ended = true;
  if (count <= 0) return count == 0 || errno == EAGAIN || errno == EWOULDBLOCK ? Broken{} : Broken{&end, errno};
  end.framing->in.filled(static_cast<std::size_t>(count));
  end.framing->stamp = stamp == WallTime{} ? now.wall : stamp;
  return {};
}

// Packets of one framed stream that leave on another are not read while that one takes nothing.
bool Streams::has_room(const StreamEnd& end) const {
  const StreamEnd& other = end.pair->other(end);
  return !other.socket || !other.framing || other.framing->out.empty();
}

std::optional<Streams::Arrived> Streams::next_packet(StreamPair& pair) {
  if (pair.state != StreamPair::State::connected) return std::nullopt;
  for (StreamEnd* end : {&pair.client, &pair.destination}) {
    if (!end->socket || !end->framing) continue;
    end->held_up = !has_room(*end);
    if (end->held_up || end->framing->given == kPacketsPerEvent) continue;
    const auto frame = end->framing->in.next();
    if (!frame) continue;
    ++end->framing->given;
    return Arrived{
        .port = end->port,
        .in = {.bytes = frame->bytes, .from = end->peer, .stamp = end->framing->stamp, .too_long = frame->too_long}};
  }
  return std::nullopt;
}

// One read may bring thousands of packets: those that are left go on in the next turn, and nothing is read until then.
void Streams::give_way(StreamEnd& end, Now now) {
  if (!end.framing || std::exchange(end.framing->given, 0) < kPacketsPerEvent) return;
  end.throttled = true;
  deadlines_.set(end, now.mono + Nanoseconds{1});
}

void Streams::send(Send& send, Now now) {
  StreamPair* pair = send.out->connection->streams.get();
  if (pair == nullptr) return;
  StreamEnd& end = pair->end_of(send.out->slot);
  if (!end.socket || !end.framing) return;
  if (!end.framing->out.empty()) {
    send.congested = true;
    return;
  }
  auto header = frame_header(send.bytes.size());
  const std::size_t whole = header.size() + send.bytes.size();
  std::size_t taken = 0;
  if (!transmit_frame(end.socket.get(), header, send.bytes, taken)) return fail({.end = &end, .error = errno}, now);
  send.sent = true;
  if (taken == whole) return;
  end.framing->out.keep(header, send.bytes, taken);
  update_interest(end);
}

Streams::Broken Streams::write_rest(StreamEnd& end) {
  FrameRest& rest = end.framing->out;
  if (rest.empty()) return {};
  const auto bytes = rest.bytes();
  const ssize_t count = ::send(end.socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Broken{} : Broken{&end, errno};
  rest.sent(static_cast<std::size_t>(count));
  return {};
}

}  // namespace millrace::dataplane
