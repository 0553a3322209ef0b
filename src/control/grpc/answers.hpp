#pragma once
// The answering thread: writes and finishes what control completed, so that control never serializes.

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "control/grpc/office.hpp"

namespace millrace::control::grpc {

class Answers {
 public:
  explicit Answers(Office& office) : office_{office} {}
  ~Answers() { stop(); }
  Answers(const Answers&) = delete;
  Answers& operator=(const Answers&) = delete;

  void start();
  void hand_over(std::vector<Call*>& completed);  // control thread; leaves it empty
  void stop();                                    // when what was handed over is answered

 private:
  void run();

  Office& office_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Call*> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace millrace::control::grpc
