#pragma once
// Events as the bytes that go out. Serialized once, shared by all streams that send the same one.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include "events/event.hpp"

namespace millrace::control::grpc {

inline constexpr std::size_t kSharedEvents = 1024;  // the latest; a stream that is further behind serializes anew

class EventBytes {
 public:
  explicit EventBytes(std::string instance) : instance_{std::move(instance)} {}

  // Any thread. `left_out` is the one field that is the stream's own: it goes behind the shared bytes.
  [[nodiscard]] ::grpc::ByteBuffer of(const events::Event& event, std::uint64_t left_out);

 private:
  struct Known {
    std::uint64_t sequence = 0;
    ::grpc::Slice bytes;
  };
  [[nodiscard]] ::grpc::Slice shared(const events::Event& event);

  const std::string instance_;
  std::mutex mutex_;
  std::array<Known, kSharedEvents> known_;  // by sequence, modulo its size
};

}  // namespace millrace::control::grpc
