#include "app/call_log.hpp"

namespace millrace::app {
namespace {

using flow::Count;
using session::Change;
using session::EndReason;

std::string_view side_of(flow::Slot slot) {
  switch (slot) {
    case flow::Slot::offerer_rtp: return "caller's RTP";
    case flow::Slot::offerer_rtcp: return "caller's RTCP";
    case flow::Slot::answerer_rtp: return "callee's RTP";
    case flow::Slot::answerer_rtcp: return "callee's RTCP";
  }
  return "";
}

struct Line {
  observe::Log& log;
  const Change& change;

  [[nodiscard]] observe::Call call() const { return {change.call_id}; }

  void operator()(const session::ConnectionCreated&) const {
    log.info(call(), "connection {} created for {}", change.connection.value(), change.offerer_tag);
  }
  void operator()(const session::ConnectionCompleted&) const {
    log.info(call(), "connection {} complete: {} and {}", change.connection.value(), change.offerer_tag,
             change.answerer_tag);
  }
  void operator()(const session::ConnectionUpdated&) const {
    log.debug(call(), "connection {} updated", change.connection.value());
  }
  void operator()(const session::RemoteLearned& learned) const {
    if (learned.remote.history.empty()) return;
    const auto last = learned.remote.history.back();
    log.debug(call(), "{} is at {}: {}", side_of(learned.slot), last.endpoint.to_string(), flow::describe(last.cause));
  }
  void operator()(const session::StateChanged& changed) const {
    log.debug(call(), "connection {}: {}", change.connection.value(), changed.reason);
  }
  void operator()(const session::StatisticsDue&) const {}
  void operator()(const session::ConnectionEnded& ended) const {
    const auto& counters = ended.counters;
    const auto from_caller = counters.party_rtp[Count::packets_in], from_callee = counters.other_rtp[Count::packets_in];
    const auto reason = session::describe(ended.reason);
    if (ended.reason == EndReason::deleted || ended.reason == EndReason::all_deleted ||
        ended.reason == EndReason::shutdown) {
      log.info(call(), "connection {} ended: {}; {} packets from the caller, {} from the callee",
               change.connection.value(), reason, from_caller, from_callee);
    } else {
      log.warning(call(), "connection {} ended: {}; {} packets from the caller, {} from the callee",
                  change.connection.value(), reason, from_caller, from_callee);
    }
  }
};

}  // namespace

bool CallLog::wants(const session::ChangeSubject& subject) const {
  using session::ChangeKind;
  const auto kind = subject.kind;
  if (kind == ChangeKind::statistics) return false;
  const bool detail = kind == ChangeKind::updated || kind == ChangeKind::state || kind == ChangeKind::learned;
  const auto level = detail                      ? observe::Level::debug
                     : kind == ChangeKind::ended ? observe::Level::warning
                                                 : observe::Level::info;
  return log_.enabled(level, {subject.call_id});
}

void CallLog::on_change(const Change& change) { std::visit(Line{.log = log_, .change = change}, change.what); }

}  // namespace millrace::app
