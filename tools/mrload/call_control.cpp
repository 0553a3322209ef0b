#include "mrload/call_control.hpp"

#include <fmt/format.h>

namespace millrace::mrload {
namespace {

constexpr std::chrono::milliseconds kPatience{100};

std::uint64_t tag_of(const Action& action) { return static_cast<std::uint64_t>(action.step) << 32 | action.call; }
Action action_of(std::uint64_t tag) { return {static_cast<Step>(tag >> 32), static_cast<std::uint32_t>(tag)}; }

std::string_view name_of(Step step) {
  switch (step) {
    case Step::offer: return "offer";
    case Step::answer: return "answer";
    case Step::remove: return "delete";
  }
  return "request";
}

}  // namespace

std::expected<CallControl, std::string> CallControl::open(CallControlOptions options) {
  auto socket = ControlSocket::open(options.relay, options.run);
  if (!socket) return std::unexpected{socket.error()};
  return CallControl{std::move(options), std::move(*socket)};
}

CallControl::CallControl(CallControlOptions options, ControlSocket socket)
    : options_{std::move(options)}, socket_{std::move(socket)}, dialect_{make_dialect(options_.protocol)} {}

std::expected<void, std::string> CallControl::run(SetupPlan& plan) {
  auto done = turn(plan);
  if (!done && !forgiving_) abandon(plan);
  return done;
}

std::expected<void, std::string> CallControl::turn(SetupPlan& plan) {
  std::expected<void, std::string> outcome;
  const auto finish = [&](const Exchange::Reply& reply) {
    const auto action = action_of(reply.tag);
    reply_times_.add(reply.took);
    auto accepted = on_reply(action, reply.text);
    if (accepted || forgiving_) return plan.done(action);
    if (outcome) outcome = accepted;
  };
  while (outcome) {
    while (socket_.under_way() < options_.window) {
      const auto action = plan.next();
      if (!action) break;
      if (auto sent = socket_.start(tag_of(*action), text_of(*action)); !sent) return sent;
    }
    if (socket_.under_way() == 0) break;
    if (auto polled = socket_.poll(kPatience, finish); !polled) return polled;
  }
  return outcome;
}

std::string CallControl::text_of(const Action& action) const {
  const CallName call{options_.run, action.call};
  const Sides& local = options_.local[action.call % options_.local.size()];
  switch (action.step) {
    case Step::offer: return dialect_->offer(call, local[0]);
    case Step::answer: return dialect_->answer(call, local[1]);
    case Step::remove: break;
  }
  return dialect_->remove(call);
}

std::expected<void, std::string> CallControl::on_reply(const Action& action, std::string_view text) {
  const auto refused = [&](const std::string& why) {
    return std::unexpected{
        fmt::format("the relay refused the {} of call {}: {}", name_of(action.step), action.call + 1, why)};
  };
  if (action.step == Step::remove) {
    if (auto removed = dialect_->removed(text); !removed) return refused(removed.error());
    return {};
  }
  const auto media = dialect_->media_address(text, options_.relay.address);
  if (!media) return refused(media.error());
  if (send_to_.size() <= action.call) send_to_.resize(action.call + 1);
  // What the offer's reply names goes into the callee's SDP: the callee sends there; and the other way round.
  send_to_[action.call][action.step == Step::offer ? 1 : 0] = *media;
  return {};
}

void CallControl::abandon(SetupPlan& plan) {
  forgiving_ = true;
  plan.tear_down();
  // The outcome says nothing new: a relay that does not answer any more ends the turn by itself.
  [[maybe_unused]] const auto ended = turn(plan);
  forgiving_ = false;
}

}  // namespace millrace::mrload
