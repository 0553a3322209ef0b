#pragma once
// The way in for front ends with threads of their own: a bounded, locked queue of jobs, an eventfd that wakes the
// control loop. Jobs run on the control thread, in order, many in a batch, so that plans of a whole batch go out at
// once; what a batch completes is answered after it, by the front end's own threads.

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "net/unique_fd.hpp"
#include "session/calls.hpp"

namespace millrace::control {

inline constexpr std::size_t kInboxJobs = 4096;       // waiting; more are refused
inline constexpr std::size_t kJobsPerBatch = 256;     // then media and other front ends have their turn

class Inbox {
 public:
  using Job = std::move_only_function<void(session::Calls& calls, Now now)>;

  static std::expected<std::unique_ptr<Inbox>, SysError> create();

  // Any thread. False: full, or closed; `job` was not taken.
  [[nodiscard]] bool post(Job job);

  // Control thread. At most kJobsPerBatch; true when more are waiting: their ring has been heard, so it is to be called
  // again.
  bool run(session::Calls& calls, const std::function<Now()>& clock);
  [[nodiscard]] int event_fd() const { return event_.get(); }
  // Control thread. Nothing is taken any more; what waits is destroyed without being run.
  void close();

 private:
  explicit Inbox(net::UniqueFd event) : event_{std::move(event)} {}
  net::UniqueFd event_;
  std::mutex mutex_;
  std::vector<Job> waiting_;
  std::vector<Job> batch_;  // control's
  std::size_t next_ = 0;  // of batch_
  std::size_t unfinished_ = 0;  // of batch_, as far as post() knows
  bool closed_ = false;
};

}  // namespace millrace::control
