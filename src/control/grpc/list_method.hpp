#pragma once
// ListSessions. Control only gathers, a few hundred a job; what a page holds is decided where it is written.

#include <string_view>
#include <vector>

#include "control/grpc/method.hpp"
#include "control/grpc/rtpproxy.pb.h"
#include "control/grpc/translate.hpp"
#include "session/view.hpp"

namespace millrace::control::grpc {

inline constexpr std::size_t kViewsPerJob = 256;         // well below a millisecond of control's time
inline constexpr std::size_t kMaxPageBytes = 3U << 20U;  // of sessions; clients take 4 MiB unless told otherwise

class ListSessions {
 public:
  using Request = ::rtpproxy::ListSessionsRequest;
  using Response = ::rtpproxy::ListSessionsResponse;
  static constexpr MethodFacts kFacts{"ListSessions", access::Role::viewer, false};

  std::expected<void, Problem> read(const Request& request, const Caller& caller, access::Access& access);
  std::expected<Progress, Problem> run(Desk& desk);
  void write(Response& out) const;
  [[nodiscard]] static std::string_view session() { return {}; }

 private:
  void begin(Desk& desk);
  void look_at(ConnectionId id, Desk& desk);
  [[nodiscard]] bool counts_all() const { return !wanted_.state && wanted_.labels.empty(); }

  ListWanted wanted_;
  bool begun_ = false;
  std::vector<ConnectionId> ids_;  // to be looked at
  std::size_t next_ = 0;           // of ids_
  std::vector<session::View> page_;
  bool more_ = false;  // that match, behind page_
  std::uint32_t total_ = 0;
};

}  // namespace millrace::control::grpc
