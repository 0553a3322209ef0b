#include "control/grpc/answers.hpp"

#include <chrono>

#include "base/time.hpp"
#include "control/grpc/call.hpp"

namespace millrace::control::grpc {

void Answers::start() {
  thread_ = std::thread{[this] { run(); }};
}

void Answers::hand_over(std::vector<Call*>& completed) {
  if (completed.empty()) return;
  {
    const std::scoped_lock lock{mutex_};
    waiting_.insert(waiting_.end(), completed.begin(), completed.end());
  }
  completed.clear();
  wake_.notify_one();
}

void Answers::stop() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

// It wakes at least once an interval, and measures the load then.
void Answers::run() {
  std::vector<Call*> batch;
  for (;;) {
    {
      std::unique_lock lock{mutex_};
      wake_.wait_for(lock, kLoadInterval, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_ && waiting_.empty()) return;
      batch.swap(waiting_);
    }
    for (Call* call : batch) call->answer();
    batch.clear();
    office_.load.measure(read_clocks().mono);
  }
}

}  // namespace millrace::control::grpc
