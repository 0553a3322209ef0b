#include "control/grpc/call.hpp"

#include <grpcpp/server_context.h>

#include <chrono>
#include <utility>

#include "control/grpc/caller.hpp"

namespace millrace::control::grpc {

// The right, and the duty, to run a call once: whoever destroys it unused leaves the call without an answer, so it is
// answered then.
class Call::Ticket {
 public:
  Ticket(Call& call, std::atomic<Held>& held) : call_{&call}, held_{&held} {}
  Ticket(Ticket&& other) noexcept : call_{std::exchange(other.call_, nullptr)}, held_{other.held_} {}
  Ticket& operator=(Ticket&& other) = delete;
  ~Ticket() {
    if (call_ != nullptr && held_->exchange(Held::dropped) == Held::queued) {
      call_->refuse({Code::unavailable, "the server is ending"});
    }
  }
  void operator()(session::Calls& calls, Now now) { std::exchange(call_, nullptr)->work(calls, now); }

 private:
  Call* call_;
  std::atomic<Held>* held_;  // the call's
};

void Call::start(const ::grpc::ByteBuffer& request) {
  if (auto admitted = admit(context_, method_, office_.parts.access, caller_); !admitted) {
    // A stranger's request is not even looked at.
    if (!caller_.identity.name.empty()) refused_session_ = session_of(request);
    return refuse(std::move(admitted.error()));
  }
  admitted_ = true;
  if (auto fine = read(request, caller_); !fine) return refuse(std::move(fine.error()));
  enqueue(first_job_);
}

// The call lives until its handler has returned, and until control has completed it: whichever of them posts may look
// at it afterwards.
void Call::enqueue(std::atomic<Held>& held) {
  held.store(Held::posting);
  if (!office_.parts.inbox.post(Ticket{*this, held})) {
    if (office_.ending.load()) return refuse({Code::unavailable, "the server is ending"});
    return refuse({Code::resource_exhausted, "too many commands are waiting; try again later"});
  }
  if (held.exchange(Held::queued) == Held::dropped) refuse({Code::unavailable, "the server is ending"});
}

void Call::work(session::Calls& calls, Now now) {
  if (auto late = too_late()) return complete(std::move(late));
  if (method_.changes && !office_.parts.audit.allows_commands()) {
    return complete(Problem{Code::unavailable, "the audit log cannot be written, and nothing may change without it"});
  }
  Desk desk{.calls = calls, .now = now, .office = office_};
  auto progress = run(desk);
  if (!progress) return complete(std::move(progress.error()));
  if (*progress == Progress::again) return enqueue(later_job_);
  complete(std::nullopt);
}

// Nothing is made that nobody hears of.
std::optional<Problem> Call::too_late() {
  if (std::chrono::system_clock::now() >= context_.deadline()) {
    return Problem{Code::deadline_exceeded, "the deadline had passed before the command was run"};
  }
  if (cancelled_.load(std::memory_order_relaxed)) return Problem{Code::cancelled, "cancelled by the client"};
  return std::nullopt;
}

void Call::complete(std::optional<Problem> problem) {
  problem_ = std::move(problem);
  office_.completed.push_back(this);
}

void Call::refuse(Problem problem) {
  problem_ = std::move(problem);
  answer();
}

void Call::answer() {
  const Problem* problem = problem_ ? &*problem_ : nullptr;
  if (!admitted_) {
    note_line({.session = refused_session_, .result = problem->code, .reason = problem->text, .unasked = true});
  } else if (method_.changes || (problem != nullptr && problem->code == Code::permission_denied)) {
    note_outcome(problem);
  }
  finish(problem);
}

}  // namespace millrace::control::grpc
