#include "session/timers.hpp"

#include <algorithm>

namespace millrace::session {

namespace {
constexpr std::uint32_t kNeverOver = Timers::kNever.count();

std::uint32_t whole_seconds(std::chrono::seconds time) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(time.count(), 0, kNeverOver));
}
}  // namespace

Timers::Timers(const Settings& settings)
    : held_limit_{whole_seconds(settings.held_timeout)}, per_party_{settings.timer_per_party} {
  const auto setup = whole_seconds(settings.setup_timeout);
  timers_.fill({.idle = whole_seconds(settings.idle_timeout), .limit = setup, .remaining = setup});
}

void Timers::complete() {
  complete_ = true;
  for (Timer& timer : timers_) timer.limit = timer.idle;
  restart();
}

void Timers::restart() {
  for (Timer& timer : timers_) timer.remaining = limit_of(timer);
}

void Timers::set_idle(std::chrono::seconds ttl) {
  for (Timer& timer : timers_) {
    timer.idle = whole_seconds(ttl);
    if (complete_) timer.limit = timer.idle;
  }
}

void Timers::adjust(Side side, std::chrono::seconds ttl) {
  for (const Side each : {Side::offerer, Side::answerer}) {
    if (per_party_ && each != side) continue;
    const auto seconds = whole_seconds(ttl);
    timers_[index_of(each)] = {.idle = seconds, .limit = seconds, .remaining = seconds};
  }
}

void Timers::set_held(bool held) { held_ = held; }

bool Timers::tick(Activity since_last_tick) {
  bool over = false;
  for (const Side side : {Side::offerer, Side::answerer}) {
    Timer& timer = timers_[index_of(side)];
    if (active(side, since_last_tick)) timer.remaining = limit_of(timer);
    if (timer.remaining == 0) {
      over = true;
    } else if (timer.remaining != kNeverOver) {
      --timer.remaining;
    }
  }
  return over;
}

std::chrono::seconds Timers::idle() const {
  return std::chrono::seconds{std::min(timers_.front().idle, timers_.back().idle)};
}

std::chrono::seconds Timers::remaining(Activity since_last_tick) const {
  std::uint32_t least = kNeverOver;
  for (const Side side : {Side::offerer, Side::answerer}) {
    const Timer& timer = timers_[index_of(side)];
    least = std::min(least, active(side, since_last_tick) ? limit_of(timer) : timer.remaining);
  }
  return std::chrono::seconds{least};
}

std::uint32_t Timers::limit_of(const Timer& timer) const { return counts_held() ? held_limit_ : timer.limit; }

bool Timers::active(Side side, Activity activity) const {
  if (!per_party_) return activity.offerer || activity.answerer;
  return side == Side::offerer ? activity.offerer : activity.answerer;
}

}  // namespace millrace::session
