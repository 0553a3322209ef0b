#pragma once
// The generator's own UDP sockets: a few pairs, one socket for all callers and one for all callees of a pair, so that
// a packet that comes out of the wrong leg is seen. Thousands of calls share them.

#include <expected>
#include <string>
#include <vector>

#include "mrload/call_control.hpp"
#include "net/unique_fd.hpp"

namespace millrace::mrload {

class MediaSockets {
 public:
  static std::expected<MediaSockets, std::string> open(const net::Address& local, std::size_t pairs);

  [[nodiscard]] std::size_t pairs() const { return local_.size(); }
  [[nodiscard]] const std::vector<Sides>& local() const { return local_; }
  // side: 0 caller, 1 callee
  [[nodiscard]] int socket(std::size_t pair, std::size_t side) const { return sockets_[2 * pair + side].get(); }
  // Packets that reached us and found the receive buffer full: the generator's own fault, never the relay's.
  [[nodiscard]] std::uint64_t overrun() const;
  [[nodiscard]] int receive_buffer() const { return receive_buffer_; }   // bytes a socket, as the kernel counts

 private:
  std::vector<net::UniqueFd> sockets_;
  std::vector<Sides> local_;
  int receive_buffer_ = 0;
};

}  // namespace millrace::mrload
