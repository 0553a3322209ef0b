#pragma once
// One unary call on its way: admitted and translated on the thread that gRPC gives it, run on the control thread in one
// job or several, written and finished on the answering thread. Exactly one answer, whatever happens to its jobs.
//
//   gRPC's thread            control thread                 answering thread
//   start(): admit, read ─►  work(): run, done or again ─►  answer(): write, note, Finish
//                            a job that is destroyed instead: UNAVAILABLE

#include <atomic>
#include <expected>
#include <optional>
#include <string>
#include <utility>

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "base/time.hpp"
#include "control/grpc/caller.hpp"
#include "control/grpc/office.hpp"
#include "control/grpc/problem.hpp"
#include "session/calls.hpp"

namespace millrace::control::grpc {

enum class Progress : std::uint8_t { done, again };  // again: in another job, after others had their turn

// What a method's run() may use, on the control thread.
struct Desk {
  session::Calls& calls;
  Now now;
  Office& office;
};

class Call : public ::grpc::ServerUnaryReactor {
 public:
  Call(Office& office, const ::grpc::CallbackServerContext& context, const MethodFacts& method)
      : office_{office}, context_{context}, method_{method} {}

  void start(const ::grpc::ByteBuffer& request);  // gRPC's thread, within the method's handler
  void answer();  // answering thread; it may be gone afterwards

  void OnCancel() final { cancelled_.store(true, std::memory_order_relaxed); }
  void OnDone() final { delete this; }

 protected:
  ~Call() override = default;

  virtual std::expected<void, Problem> read(const ::grpc::ByteBuffer& request, const Caller& caller) = 0;
  virtual std::expected<Progress, Problem> run(Desk& desk) = 0;
  virtual void write() = 0;
  // What the audit log gets of a call that was admitted.
  virtual void note_outcome(const Problem* problem) = 0;

  void note_line(const Noted& noted) { note(office_.parts.audit, caller_, method_, noted); }
  [[nodiscard]] const MethodFacts& method() const { return method_; }
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
  std::optional<Problem> problem_;
  std::atomic<Held> first_job_{Held::posting};  // two threads: its poster's and control's
  std::atomic<Held> later_job_{Held::posting};  // control's alone
  std::atomic<bool> cancelled_{false};
};

// The bytes of a message, parsed; what is wrong with them, in words.
std::expected<void, Problem> parse(const ::grpc::ByteBuffer& bytes, ::google::protobuf::Message& out);

// A call of one method. `Method` has: Request, Response, kFacts, session() for the audit log, and
//   read(request, caller, access) on gRPC's thread, run(desk) on the control thread, write(response) on the answering one.
// A batch has note(each) too: one line of the audit log an item, instead of one of the whole.
template <class Method>
class Unary final : public Call {
 public:
  Unary(Office& office, const ::grpc::CallbackServerContext& context, ::grpc::ByteBuffer& response)
      : Call{office, context, Method::kFacts}, response_{response} {}

 private:
  std::expected<void, Problem> read(const ::grpc::ByteBuffer& bytes, const Caller& caller) override {
    typename Method::Request request;
    if (auto parsed = parse(bytes, request); !parsed) return parsed;
    return action_.read(request, caller, office().parts.access);
  }
  std::expected<Progress, Problem> run(Desk& desk) override { return action_.run(desk); }
  void write() override {
    typename Method::Response response;
    action_.write(response);
    bool own_buffer = false;
    (void)::grpc::SerializationTraits<typename Method::Response>::Serialize(response, &response_, &own_buffer);
  }
  void note_outcome(const Problem* problem) override {
    // What a batch did is done, also when the rest of it came too late.
    if constexpr (requires { action_.note([](const Noted&) {}); }) {
      action_.note([this](const Noted& noted) { note_line(noted); });
      if (problem == nullptr) return;
    }
    note_line({.session = action_.session(),
               .result = problem == nullptr ? Code::ok : problem->code,
               .reason = problem == nullptr ? std::string_view{} : std::string_view{problem->text}});
  }

  ::grpc::ByteBuffer& response_;
  Method action_;
};

}  // namespace millrace::control::grpc
