#pragma once
// For tests and benchmarks alone: changes as the control thread makes them, and a reader that waits with a deadline.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "events/hub.hpp"
#include "session/change.hpp"

namespace millrace::events::testing {

using std::chrono::seconds;
inline constexpr seconds kPatience{30};  // never reached but by a fault

inline std::shared_ptr<session::View> view_of(std::uint64_t connection, bool session = true) {
  auto view = std::make_shared<session::View>();
  view->id = ConnectionId{connection};
  view->call_id = "call-" + std::to_string(connection);
  view->session = session;
  return view;
}

using What = decltype(session::Change::what);
inline session::Change change(What what, std::shared_ptr<const session::View> view, seconds at = seconds{0}) {
  session::Change made{.at = WallTime{at},
                       .connection = ConnectionId{1},
                       .call_id = {},
                       .offerer_tag = {},
                       .answerer_tag = {},
                       .what = std::move(what),
                       .view = std::move(view)};
  if (made.view) made.connection = made.view->id;
  return made;
}

// A change of a session that tests tell apart by its connection's number.
inline session::Change lifecycle(std::uint64_t connection) {
  return change(session::ConnectionUpdated{}, view_of(connection));
}
inline session::Change statistics(std::uint64_t connection) {
  return change(session::StatisticsDue{}, view_of(connection));
}

// Subscribes, and keeps all that it takes.
class Reading {
 public:
  explicit Reading(Hub& hub, Filter filter = {}, std::optional<ResumePoint> resume = std::nullopt) {
    auto subscribed = hub.subscribe(std::move(filter), std::move(resume), [this] {
      const std::scoped_lock lock{mutex_};
      rung_ = true;
      bell_.notify_one();
    });
    if (subscribed) {
      subscription_ = std::move(*subscribed);
    } else {
      error = subscribed.error();
    }
  }
  ~Reading() { leave(); }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  void leave() { subscription_.reset(); }
  [[nodiscard]] Subscription& subscription() { return *subscription_; }

  // True once it has so many in all; false when the stream ended before.
  bool read(std::size_t count) {
    return wait([&] { return events.size() >= count; });
  }
  EndOfStream read_to_end() {
    wait([] { return false; });
    return subscription_->end();
  }
  void take_all() {
    while (auto event = subscription_->take()) events.push_back(std::move(event));
  }

  [[nodiscard]] std::uint64_t last() const { return events.empty() ? 0 : events.back()->sequence; }
  [[nodiscard]] std::vector<std::uint64_t> sequences() const {
    std::vector<std::uint64_t> all;
    for (const auto& event : events) all.push_back(event->sequence);
    return all;
  }
  [[nodiscard]] std::vector<std::uint64_t> connections() const {
    std::vector<std::uint64_t> all;
    for (const auto& event : events) all.push_back(event->view->id.value());
    return all;
  }

  std::vector<std::shared_ptr<const Event>> events;
  std::optional<SubscribeError> error;

 private:
  bool wait(const std::function<bool()>& done) {
    while (true) {
      {
        const std::scoped_lock lock{mutex_};
        rung_ = false;
      }
      const bool ended = subscription_->end() != EndOfStream::none;  // asked before: what was queued comes first
      take_all();
      if (done() || ended) return done();
      std::unique_lock lock{mutex_};
      if (!bell_.wait_for(lock, kPatience, [&] { return rung_; })) return false;
    }
  }

  std::mutex mutex_;
  std::condition_variable bell_;
  bool rung_ = false;
  std::unique_ptr<Subscription> subscription_;  // goes first: its end waits for the callback
};

}  // namespace millrace::events::testing
