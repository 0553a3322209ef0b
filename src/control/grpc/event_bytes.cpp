#include "control/grpc/event_bytes.hpp"

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <utility>

#include "control/grpc/session_info.hpp"

namespace millrace::control::grpc {

struct EventBytes::Known {
  std::uint64_t sequence = 0;
  ::grpc::Slice bytes;
};

EventBytes::EventBytes(std::string instance)
    : instance_{std::move(instance)}, known_{std::make_unique<std::array<Known, kSharedEvents>>()} {}
EventBytes::~EventBytes() = default;

::grpc::ByteBuffer EventBytes::of(const events::Event& event, std::uint64_t left_out) {
  std::array<::grpc::Slice, 2> slices{shared(event)};
  if (left_out == 0) return {slices.data(), 1};
  // Protobuf: messages one behind the other are one message.
  ::rtpproxy::SessionEvent own;
  own.set_updates_dropped(left_out);
  slices[1] = ::grpc::Slice{own.SerializeAsString()};
  return {slices.data(), slices.size()};
}

::grpc::Slice EventBytes::shared(const events::Event& event) {
  Known& place = (*known_)[event.sequence % kSharedEvents];
  {
    const std::scoped_lock lock{mutex_};
    if (place.sequence == event.sequence) return place.bytes;
  }
  ::rtpproxy::SessionEvent message;
  write_event(event, instance_, message);
  ::grpc::Slice bytes{message.SerializeAsString()};
  const std::scoped_lock lock{mutex_};
  if (place.sequence < event.sequence) place = {.sequence = event.sequence, .bytes = bytes};
  return bytes;
}

}  // namespace millrace::control::grpc
