#pragma once
// StreamSessionEvents: a subscription of the hub for each stream, sent as fast as its reader takes it.
//
//   hub's thread: "there is something" ─► pump: takes, starts the first write ─► gRPC's threads: each write that is done
//                                                                               starts the next
//
// The pump is there because starting a write costs microseconds of locks and a system call: with a thousand streams the
// hub would be late for everybody.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "control/grpc/event_bytes.hpp"
#include "control/grpc/office.hpp"

namespace grpc {
class ByteBuffer;
class CallbackServerContext;
template <class Response>
class ServerWriteReactor;
}  // namespace grpc

namespace millrace::control::grpc {

class EventStream;

// The thread that starts writes of streams that had nothing to send.
class EventPump {
 public:
  EventPump() = default;
  ~EventPump() { stop(); }
  EventPump(const EventPump&) = delete;
  EventPump& operator=(const EventPump&) = delete;

  void start();
  void stop();
  void wake(std::weak_ptr<EventStream> stream);  // any thread; does not block

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::weak_ptr<EventStream>> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

class EventStreams {
 public:
  explicit EventStreams(Office& office) : office_{office}, bytes_{office.parts.hub.instance()} {}

  void start() { pump_.start(); }
  void stop() { pump_.stop(); }
  ::grpc::ServerWriteReactor<::grpc::ByteBuffer>* open(::grpc::CallbackServerContext& context,
                                                       const ::grpc::ByteBuffer& request);

 private:
  friend class EventStream;
  Office& office_;
  EventBytes bytes_;
  EventPump pump_;
};

}  // namespace millrace::control::grpc
