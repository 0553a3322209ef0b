#pragma once
// Events as the bytes that go out. Serialized once, shared by all streams that send the same one.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "events/event.hpp"

namespace grpc {
class ByteBuffer;
class Slice;
}  // namespace grpc

namespace millrace::control::grpc {

inline constexpr std::size_t kSharedEvents = 1024;  // the latest; a stream that is further behind serializes anew

class EventBytes {
 public:
  explicit EventBytes(std::string instance);
  ~EventBytes();
  EventBytes(const EventBytes&) = delete;
  EventBytes& operator=(const EventBytes&) = delete;

  // Any thread. `left_out` is the one field that is the stream's own: it goes behind the shared bytes.
  [[nodiscard]] ::grpc::ByteBuffer of(const events::Event& event, std::uint64_t left_out);

 private:
  struct Known;
  [[nodiscard]] ::grpc::Slice shared(const events::Event& event);

  const std::string instance_;
  std::mutex mutex_;
  std::unique_ptr<std::array<Known, kSharedEvents>> known_;  // by sequence, modulo its size
};

}  // namespace millrace::control::grpc
