#pragma once
// Many sessions in one request: each item succeeds or fails by itself, a few a job. Each is a command of its own for
// quotas and for the audit log.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/grpc/create.hpp"
#include "control/grpc/rtpproxy.pb.h"

namespace millrace::control::grpc {

inline constexpr std::size_t kItemsPerJob = 32;  // a millisecond or two of control's time

// What became of an item; nothing yet: it waits for its turn.
template <class Wanted, class Result>
struct BatchItem {
  std::string session;
  Wanted wanted{};
  std::optional<std::expected<Result, Problem>> outcome{};
};

class CreateSessions {
 public:
  using Request = ::rtpproxy::CreateSessionsRequest;
  using Response = ::rtpproxy::CreateSessionsResponse;
  static constexpr MethodFacts kFacts{"CreateSessions", access::Role::operator_, true};

  std::expected<void, Problem> read(const Request& request, const Caller& caller, access::Access& access);
  std::expected<Progress, Problem> run(Desk& desk);
  void write(Response& out) const;
  template <class NoteLine>
  void note(NoteLine&& note_line) const;
  [[nodiscard]] static std::string_view session() { return {}; }

 private:
  std::vector<BatchItem<CreateWanted, Created>> items_;
  std::size_t next_ = 0;
};

class DestroySessions {
 public:
  using Request = ::rtpproxy::DestroySessionsRequest;
  using Response = ::rtpproxy::DestroySessionsResponse;
  static constexpr MethodFacts kFacts{"DestroySessions", access::Role::operator_, true};

  std::expected<void, Problem> read(const Request& request, const Caller& caller, access::Access& access);
  std::expected<Progress, Problem> run(Desk& desk);
  void write(Response& out) const;
  template <class NoteLine>
  void note(NoteLine&& note_line) const;
  [[nodiscard]] static std::string_view session() { return {}; }

 private:
  std::vector<BatchItem<std::string, session::View>> items_;
  std::size_t next_ = 0;
};

template <class Items, class NoteLine>
void note_items(const Items& items, NoteLine& note_line) {
  for (const auto& item : items) {
    if (!item.outcome) continue;
    const bool fine = item.outcome->has_value();
    note_line(Noted{.session = item.session,
                    .result = fine ? Code::ok : item.outcome->error().code,
                    .reason = fine ? std::string_view{} : std::string_view{item.outcome->error().text}});
  }
}

template <class NoteLine>
void CreateSessions::note(NoteLine&& note_line) const {
  note_items(items_, note_line);
}

template <class NoteLine>
void DestroySessions::note(NoteLine&& note_line) const {
  note_items(items_, note_line);
}

}  // namespace millrace::control::grpc
