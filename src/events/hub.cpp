#include "events/hub.hpp"

#include <pthread.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "events/bell.hpp"
#include "events/door.hpp"
#include "events/history.hpp"
#include "events/reader.hpp"
#include "events/tap.hpp"

namespace millrace::events {
namespace {

// Where cores are scarce media comes first.
constexpr int kNicer = 5;

// A random UUID, RFC 9562 §5.4.
std::expected<std::string, SysError> draw_instance() {
  std::array<unsigned char, 16> bytes;
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return std::unexpected{sys_error("getrandom")};
  }
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);  // version 4
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);  // the RFC's variant
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", bytes[i]);
  }
  return text;
}

// A reader's end of its queue.
class LiveSubscription final : public Subscription {
 public:
  LiveSubscription(std::shared_ptr<Door> door, std::shared_ptr<Reader> reader)
      : door_{std::move(door)}, reader_{std::move(reader)} {}
  LiveSubscription(const LiveSubscription&) = delete;
  LiveSubscription& operator=(const LiveSubscription&) = delete;
  ~LiveSubscription() override {
    reader_->leave();
    door_->leave(*reader_);
  }

  [[nodiscard]] std::shared_ptr<const Event> take() override { return reader_->take(); }
  [[nodiscard]] EndOfStream end() const override { return reader_->end(); }
  [[nodiscard]] std::uint64_t left_out() const override { return reader_->left_out(); }

 private:
  std::shared_ptr<Door> door_;
  std::shared_ptr<Reader> reader_;
};

class LiveHub final : public Hub {
 public:
  LiveHub(const Settings& settings, std::string instance, Bell bell)
      : queue_limit_{settings.queue},
        instance_{std::move(instance)},
        door_{std::make_shared<Door>(std::move(bell))},
        tap_{ring_, door_->bell(), door_->calls_noted()},
        history_{settings.history} {}
  LiveHub(const LiveHub&) = delete;
  LiveHub& operator=(const LiveHub&) = delete;
  ~LiveHub() override {
    close();
    thread_.join();
  }

  void start() {
    // Signals are the control loop's: the thread inherits a mask that blocks them all.
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread{[this] {
      ::pthread_setname_np(::pthread_self(), "hub");
      [[maybe_unused]] const int now = ::nice(kNicer);  // of this thread alone: Linux has no other
      do door_->bell().wait();
      while (run_turn());
    }};
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  [[nodiscard]] const std::string& instance() const override { return instance_; }
  [[nodiscard]] std::uint64_t last_sequence() const override { return door_->last_sequence(); }

  [[nodiscard]] std::expected<std::unique_ptr<Subscription>, SubscribeError> subscribe(
      Filter filter, std::optional<ResumePoint> resume, std::function<void()> ready) override {
    std::optional<std::uint64_t> after;
    if (resume) {
      if (resume->instance != instance_) return std::unexpected{SubscribeError::other_instance};
      after = resume->after;
    }
    auto reader = std::make_shared<Reader>(std::move(filter), queue_limit_, std::move(ready));
    if (const auto entered = door_->enter(reader, after); !entered) return std::unexpected{entered.error()};
    return std::make_unique<LiveSubscription>(door_, std::move(reader));
  }

  [[nodiscard]] session::ChangeListener& tap() override { return tap_; }
  void hand_over() override { tap_.hand_over(); }
  void close() override {
    if (std::exchange(closed_, true)) return;
    rest_ = tap_.close();
    door_->close();  // and with its lock `rest_` becomes the hub's
  }

  [[nodiscard]] Statistics statistics() const override {
    return {.events = events_.load(std::memory_order_relaxed),
            .statistics_left_out = left_out_.load(std::memory_order_relaxed) + tap_.left_out(),
            .streams_overrun = overrun_.load(std::memory_order_relaxed),
            .subscriptions = door_->subscriptions()};
  }

 private:
  // The rest is the hub's thread. False: closed, and everybody has been told.
  bool run_turn() {
    const bool closing = door_->closing();  // asked first: what was noted before it is in the ring or in rest_
    admit(door_->arrivals());
    while (auto note = ring_.try_pop()) deliver(std::move(*note));
    if (closing) {
      for (Note& note : rest_) deliver(std::move(note));
      end_all(EndOfStream::closing);
      return false;
    }
    if (door_->somebody_left()) std::erase_if(readers_, [](const auto& reader) { return !reader->open(); });
    return true;
  }

  void deliver(Note note) {
    if (note.lost) return begin_anew();
    Door::Step step = door_->number(note.event.at, history_.floor_with(note.event));
    admit(std::move(step.arrivals));
    note.event.sequence = step.number;
    const auto event = std::make_shared<const Event>(std::move(note.event));
    history_.append(event);
    events_.fetch_add(1, std::memory_order_relaxed);
    std::erase_if(readers_, [&](const auto& reader) { return !hand_to(*reader, event); });
  }

  // False: this reader's stream has ended.
  bool hand_to(Reader& reader, const std::shared_ptr<const Event>& event) {
    if (!reader.open()) return false;
    if (!reader.wants(*event)) return true;
    const Reader::Outcome outcome = reader.offer(event);
    if (outcome == Reader::Outcome::left_out) left_out_.fetch_add(1, std::memory_order_relaxed);
    if (outcome == Reader::Outcome::overrun) overrun_.fetch_add(1, std::memory_order_relaxed);
    return outcome != Reader::Outcome::overrun;
  }

  void admit(std::vector<Door::Arrival> arrivals) {
    for (Door::Arrival& arrival : arrivals) {
      if (!arrival.reader->open()) continue;
      if (arrival.after) {
        std::deque<std::shared_ptr<const Event>> missed;
        for (const auto& event : history_.after(*arrival.after)) {
          if (arrival.reader->wants(*event)) missed.push_back(event);
        }
        arrival.reader->resume(std::move(missed));
      }
      readers_.push_back(std::move(arrival.reader));
    }
  }

  // Control had to drop what it had noted.
  void begin_anew() {
    Door::Step step = door_->number_lost();
    admit(std::move(step.arrivals));
    history_.begin_anew(step.number);
    overrun_.fetch_add(readers_.size(), std::memory_order_relaxed);
    end_all(EndOfStream::overrun);
  }

  void end_all(EndOfStream why) {
    for (const auto& reader : readers_) reader->finish(why);
    readers_.clear();
  }

  const std::size_t queue_limit_;
  const std::string instance_;
  const std::shared_ptr<Door> door_;
  Ring ring_;

  // Control's.
  Tap tap_;
  bool closed_ = false;
  std::deque<Note> rest_;  // what the tap still kept when it was closed; the hub's from then on

  // The hub's thread's.
  History history_;
  std::vector<std::shared_ptr<Reader>> readers_;

  std::atomic<std::uint64_t> events_{0}, left_out_{0}, overrun_{0};
  std::thread thread_;
};

}  // namespace

std::expected<std::unique_ptr<Hub>, SysError> Hub::start(const Settings& settings) {
  auto instance = draw_instance();
  if (!instance) return std::unexpected{std::move(instance.error())};
  auto bell = Bell::create();
  if (!bell) return std::unexpected{std::move(bell.error())};
  auto hub = std::make_unique<LiveHub>(settings, std::move(*instance), std::move(*bell));
  hub->start();
  return hub;
}

}  // namespace millrace::events
