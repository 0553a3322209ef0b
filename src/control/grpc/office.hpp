#pragma once
// What every call works with: the parts that the server was started with, and its own.

#include <atomic>
#include <memory>
#include <vector>

#include "control/grpc/load_meter.hpp"
#include "control/grpc/request_memory.hpp"
#include "control/grpc/server.hpp"

namespace millrace::control::grpc {

class Call;

struct Office {
  Parts parts;
  LoadMeter load{};                 // any thread
  std::atomic<bool> ending{false};  // no more commands reach control
  // Control thread only.
  RequestMemory requests{};
  std::vector<Call*> completed{};  // to be answered once send_answers() is called
};

}  // namespace millrace::control::grpc
