#include "dataplane/socket/port.hpp"

#include <cstring>

#include "dataplane/socket/stream_pair.hpp"

namespace millrace::dataplane {

void Destination::set(const net::Endpoint& endpoint) {
  length_ = 0;
  if (!endpoint.is_set()) return;
  sockaddr_storage storage{};
  const socklen_t length = endpoint.to_sockaddr(storage);
  MR_CHECK(length <= bytes_.size());
  std::memcpy(bytes_.data(), &storage, length);
  length_ = static_cast<std::uint8_t>(length);
}

Connection::Connection() {
  for (std::size_t i = 0; i < flow::kSlots; ++i) {
    MediaPort& port = ports[i];
    port.slot = static_cast<flow::Slot>(i);
    port.connection = this;
    port.reception = flow::is_rtcp(port.slot) ? nullptr : &receptions[i / 2];
  }
}

Connection::~Connection() = default;

}  // namespace millrace::dataplane
