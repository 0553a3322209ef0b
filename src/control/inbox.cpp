#include "control/inbox.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

namespace millrace::control {

std::expected<std::unique_ptr<Inbox>, SysError> Inbox::create() {
  net::UniqueFd event{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  if (!event) return std::unexpected{sys_error("eventfd")};
  return std::unique_ptr<Inbox>{new Inbox{std::move(event)}};
}

bool Inbox::post(Job job) {
  {
    const std::scoped_lock lock{mutex_};
    if (closed_ || waiting_.size() + unfinished_ >= kInboxJobs) return false;
    waiting_.push_back(std::move(job));
    if (waiting_.size() > 1) return true;  // the bell has been rung
  }
  const std::uint64_t one = 1;
  // The only refusal is a counter at its maximum: then control is awake anyway.
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
  return true;
}

bool Inbox::run(session::Calls& calls, const std::function<Now()>& clock) {
  std::uint64_t rings = 0;
  [[maybe_unused]] const ssize_t read = ::read(event_.get(), &rings, sizeof rings);
  if (next_ == batch_.size()) {
    batch_.clear();
    next_ = 0;
    const std::scoped_lock lock{mutex_};
    batch_.swap(waiting_);
    unfinished_ = batch_.size();
  }
  for (std::size_t left = kJobsPerBatch; left > 0 && next_ < batch_.size(); --left) {
    Job job = std::exchange(batch_[next_++], Job{});
    job(calls, clock());
  }
  const std::scoped_lock lock{mutex_};
  unfinished_ = batch_.size() - next_;
  return unfinished_ > 0 || !waiting_.empty();
}

void Inbox::close() {
  std::vector<Job> dropped;
  {
    const std::scoped_lock lock{mutex_};
    closed_ = true;
    dropped.swap(waiting_);
    unfinished_ = 0;
  }
  next_ = 0;
  const std::vector<Job> also_dropped = std::exchange(batch_, {});
}

}  // namespace millrace::control
