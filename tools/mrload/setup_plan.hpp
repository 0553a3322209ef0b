#pragma once
// Which request goes next: sets up `total` calls (offer, answer), keeps at most `alive` of them, and takes the rest
// down again. Pure; control.cpp joins it to a socket. How many requests are outstanding is the caller's affair.

#include <cstdint>
#include <deque>
#include <optional>

namespace millrace::mrload {

enum class Step : std::uint8_t { offer, answer, remove };

struct Action {
  Step step;
  std::uint32_t call;
  friend bool operator==(const Action&, const Action&) = default;
};

class SetupPlan {
 public:
  SetupPlan(std::uint32_t total, std::uint32_t alive) : total_{total}, alive_{alive} {}

  // The next request, or nothing when it waits for a reply or everything was asked for. An answer goes before a new
  // offer, so that calls are finished rather than begun; at the limit the oldest call goes before a new one comes.
  std::optional<Action> next();
  void done(const Action& action);
  // No new calls any more; take down those that stand.
  void tear_down() { closing_ = true; }

  [[nodiscard]] std::uint32_t established() const { return established_; }   // ever
  [[nodiscard]] std::uint32_t open() const { return open_; }                 // offered and not removed yet
  [[nodiscard]] std::uint32_t most_open() const { return most_open_; }
  [[nodiscard]] bool all_established() const { return established_ == total_; }

 private:
  std::uint32_t total_, alive_;
  std::uint32_t offered_ = 0, established_ = 0, open_ = 0, removing_ = 0, most_open_ = 0;
  bool closing_ = false;
  std::deque<std::uint32_t> to_answer_;
  std::deque<std::uint32_t> standing_;   // oldest first
};

}  // namespace millrace::mrload
