#include "control/grpc/event_streams.hpp"

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <optional>
#include <string>
#include <utility>

#include "control/grpc/caller.hpp"
#include "control/grpc/event_filter.hpp"
#include "control/grpc/parse.hpp"

namespace millrace::control::grpc {

namespace {
constexpr MethodFacts kFacts{"StreamSessionEvents", access::Role::viewer, false};
}

// One stream. At any time at most one write is under way, and nobody else touches gRPC meanwhile: whoever sets
// `writing_` owns it. It keeps itself alive until gRPC is done with it.
class EventStream final : public ::grpc::ServerWriteReactor<::grpc::ByteBuffer>,
                          public std::enable_shared_from_this<EventStream> {
 public:
  EventStream(EventStreams& streams, ::grpc::CallbackServerContext& context) : streams_{streams}, context_{context} {}

  void start(const ::grpc::ByteBuffer& request);
  void pump();  // the pump's thread

  void OnSendInitialMetadataDone(bool ok) override { on_written(ok); }
  void OnWriteDone(bool ok) override { on_written(ok); }
  void OnCancel() override;
  void OnDone() override { self_.reset(); }

 private:
  [[nodiscard]] std::expected<StreamWanted, Problem> read(const ::grpc::ByteBuffer& request);
  [[nodiscard]] std::expected<void, Problem> subscribe(const ::grpc::ByteBuffer& request);
  void on_written(bool ok);
  void write_next();               // mutex_ held, nothing is being written
  void finish(::grpc::Status how);  // mutex_ held, nothing is being written

  EventStreams& streams_;
  ::grpc::CallbackServerContext& context_;
  Caller caller_;
  bool admitted_ = false;
  std::mutex mutex_;
  std::unique_ptr<events::Subscription> subscription_;
  ::grpc::ByteBuffer out_;
  bool writing_ = false, finished_ = false, cancelled_ = false;
  std::shared_ptr<EventStream> self_{};
};

void EventStream::start(const ::grpc::ByteBuffer& request) {
  self_ = shared_from_this();
  const std::scoped_lock lock{mutex_};
  const auto& hub = streams_.office_.parts.hub;
  // Read before the subscription begins: a reader that resumes from this number misses nothing.
  const auto sequence = hub.last_sequence();
  if (auto subscribed = subscribe(request); !subscribed) {
    const Problem& problem = subscribed.error();
    if (!admitted_) {
      note(streams_.office_.parts.audit, caller_, kFacts,
           {.result = problem.code, .reason = problem.text, .unasked = true});
    }
    return finish({static_cast<::grpc::StatusCode>(problem.code), problem.text});
  }
  context_.AddInitialMetadata("millrace-instance-id", hub.instance());
  context_.AddInitialMetadata("millrace-sequence", std::to_string(sequence));
  writing_ = true;
  StartSendInitialMetadata();
}

std::expected<StreamWanted, Problem> EventStream::read(const ::grpc::ByteBuffer& bytes) {
  if (auto admitted = admit(context_, kFacts, streams_.office_.parts.access, caller_); !admitted) {
    return std::unexpected{std::move(admitted.error())};
  }
  admitted_ = true;
  ::rtpproxy::StreamSessionEventsRequest request;
  if (auto parsed = parse(bytes, request); !parsed) return std::unexpected{std::move(parsed.error())};
  return to_stream(request);
}

// Only a weak pointer goes to the hub: the last strong one must not end on its thread, where the subscription would
// wait for itself.
std::expected<void, Problem> EventStream::subscribe(const ::grpc::ByteBuffer& request) {
  auto wanted = read(request);
  if (!wanted) return std::unexpected{std::move(wanted.error())};
  auto subscription =
      streams_.office_.parts.hub.subscribe(std::move(wanted->filter), std::move(wanted->resume),
                                           [&pump = streams_.pump_, self = weak_from_this()] { pump.wake(self); });
  if (!subscription) return std::unexpected{problem_of(subscription.error())};
  subscription_ = std::move(*subscription);
  return {};
}

void EventStream::pump() {
  const std::scoped_lock lock{mutex_};
  if (!writing_ && !finished_) write_next();
}

void EventStream::on_written(bool ok) {
  const std::scoped_lock lock{mutex_};
  writing_ = false;
  if (!ok || cancelled_) return finish(::grpc::Status::CANCELLED);
  write_next();
}

void EventStream::OnCancel() {
  const std::scoped_lock lock{mutex_};
  cancelled_ = true;
  subscription_.reset();  // at once: what was queued for a reader that is gone
  if (!writing_ && !finished_) finish(::grpc::Status::CANCELLED);
}

// The end is asked for first: what comes between the two questions is told by another `ready`.
void EventStream::write_next() {
  const auto end = subscription_->end();
  if (const auto event = subscription_->take()) {
    out_ = streams_.bytes_.of(*event, subscription_->left_out());
    writing_ = true;
    return StartWrite(&out_);
  }
  switch (end) {
    case events::EndOfStream::none: return;
    case events::EndOfStream::overrun:
      return finish({::grpc::StatusCode::RESOURCE_EXHAUSTED,
                     "this reader is too slow: events that may not be left out did not fit into its queue; list the "
                     "sessions, or resume after the last sequence number"});
    case events::EndOfStream::closing: return finish({::grpc::StatusCode::UNAVAILABLE, "the server is ending"});
  }
}

void EventStream::finish(::grpc::Status how) {
  if (finished_) return;
  finished_ = true;
  subscription_.reset();
  Finish(std::move(how));
}

::grpc::ServerWriteReactor<::grpc::ByteBuffer>* EventStreams::open(::grpc::CallbackServerContext& context,
                                                                   const ::grpc::ByteBuffer& request) {
  auto stream = std::make_shared<EventStream>(*this, context);
  stream->start(request);
  return stream.get();  // gRPC's until OnDone, which comes after this
}

void EventPump::start() {
  thread_ = std::thread{[this] { run(); }};
}

void EventPump::stop() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void EventPump::wake(std::weak_ptr<EventStream> stream) {
  {
    const std::scoped_lock lock{mutex_};
    waiting_.push_back(std::move(stream));
    if (waiting_.size() > 1) return;  // it has been woken
  }
  wake_.notify_one();
}

void EventPump::run() {
  std::vector<std::weak_ptr<EventStream>> batch;
  for (;;) {
    {
      std::unique_lock lock{mutex_};
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      batch.swap(waiting_);
    }
    for (const auto& each : batch) {
      if (const auto stream = each.lock()) stream->pump();
    }
    batch.clear();
  }
}

}  // namespace millrace::control::grpc
