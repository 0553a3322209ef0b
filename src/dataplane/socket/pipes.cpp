#include "dataplane/socket/pipes.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "base/check.hpp"

namespace millrace::dataplane {
namespace {

std::unique_ptr<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) return nullptr;
  auto pipe = std::make_unique<Pipe>();
  pipe->out = net::UniqueFd{ends[0]};
  pipe->in = net::UniqueFd{ends[1]};
  // Refused to users who have many pipes already: then it is as large as it is.
  int capacity = ::fcntl(pipe->in.get(), F_SETPIPE_SZ, kPipeBytes);
  if (capacity <= 0) capacity = ::fcntl(pipe->in.get(), F_GETPIPE_SZ);
  if (capacity <= 0) return nullptr;
  pipe->capacity = static_cast<std::size_t>(capacity);
  return pipe;
}

}  // namespace

std::unique_ptr<Pipe> PipePool::borrow() {
  if (lent_ == limit_) return nullptr;
  std::unique_ptr<Pipe> pipe;
  if (idle_.empty()) {
    pipe = make_pipe();
    if (!pipe) return nullptr;
  } else {
    pipe = std::move(idle_.back());
    idle_.pop_back();
  }
  ++lent_;
  return pipe;
}

void PipePool::give_back(std::unique_ptr<Pipe> pipe, bool empty) {
  MR_CHECK(pipe != nullptr && lent_ > 0);
  --lent_;
  if (empty) idle_.push_back(std::move(pipe));
}

}  // namespace millrace::dataplane
