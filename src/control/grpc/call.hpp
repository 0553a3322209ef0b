#pragma once
// One unary call on its way: admitted and translated on the thread that gRPC gives it, run on the control thread in one
// job or several, written and finished on the answering thread. Exactly one answer, whatever happens to its jobs.
//
//   gRPC's thread            control thread                 answering thread
//   start(): admit, read ─►  work(): run, done or again ─►  answer(): note, write, finish
//                            a job that is destroyed instead: UNAVAILABLE

#include <atomic>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "control/grpc/method.hpp"
#include "control/grpc/office.hpp"
#include "control/grpc/problem.hpp"
#include "session/calls.hpp"

namespace grpc {
class ByteBuffer;
class CallbackServerContext;
}  // namespace grpc

namespace millrace::control::grpc {

class Call {
 public:
  Call(Office& office, const ::grpc::CallbackServerContext& context, const MethodFacts& method)
      : office_{office}, context_{context}, method_{method} {}

  void start(const ::grpc::ByteBuffer& request);  // gRPC's thread, within the method's handler
  void answer();  // answering thread; it may be gone afterwards
  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }  // any thread

 protected:
  ~Call() = default;

  virtual std::expected<void, Problem> read(const ::grpc::ByteBuffer& request, const Caller& caller) = 0;
  // Which session a request that is refused unread would have been about; empty: none, or many.
  [[nodiscard]] virtual std::string session_of(const ::grpc::ByteBuffer& request) const = 0;
  virtual std::expected<Progress, Problem> run(Desk& desk) = 0;
  // The answer: what run() found, or the problem.
  virtual void finish(const Problem* problem) = 0;
  // What the audit log gets of a call that was admitted.
  virtual void note_outcome(const Problem* problem) = 0;

  void note_line(const Noted& noted) { note(office_.parts.audit, caller_, method_, noted); }
  [[nodiscard]] Office& office() { return office_; }

 private:
  class Ticket;
  // A job that cannot be queued is destroyed by the one who posts it, who answers; later ones answer for themselves.
  enum class Held : std::uint8_t { posting, queued, dropped };

  void enqueue(std::atomic<Held>& held);
  void work(session::Calls& calls, Now now);
  [[nodiscard]] std::optional<Problem> too_late();
  void complete(std::optional<Problem> problem);  // control thread
  void refuse(Problem problem);  // any thread, before or instead of its jobs

  Office& office_;
  const ::grpc::CallbackServerContext& context_;
  const MethodFacts& method_;  // a constant of its class
  Caller caller_;
  bool admitted_ = false;
  std::string refused_session_{};  // of somebody we know who may not
  std::optional<Problem> problem_;
  std::atomic<Held> first_job_{Held::posting};  // two threads: its poster's and control's
  std::atomic<Held> later_job_{Held::posting};  // control's alone
  std::atomic<bool> cancelled_{false};
};

}  // namespace millrace::control::grpc
