#include "control/grpc/list_method.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "control/grpc/session_info.hpp"

namespace millrace::control::grpc {

std::expected<void, Problem> ListSessions::read(const Request& request, const Caller& /*caller*/,
                                                access::Access& /*access*/) {
  auto wanted = to_list(request);
  if (!wanted) return std::unexpected{std::move(wanted.error())};
  wanted_ = std::move(*wanted);
  return {};
}

// With a filter every connection is looked at, because the total counts those that match; else only the page's.
void ListSessions::begin(Desk& desk) {
  begun_ = true;
  ids_ = desk.calls.connections(ConnectionId{0}, wanted_.calls);
  if (!counts_all()) return;
  total_ = static_cast<std::uint32_t>(ids_.size());
  const auto first = std::ranges::upper_bound(ids_, wanted_.after.value(), {}, &ConnectionId::value);
  ids_.erase(ids_.begin(), first);
  more_ = ids_.size() > wanted_.page_size;
  if (more_) ids_.resize(wanted_.page_size);
}

std::expected<Progress, Problem> ListSessions::run(Desk& desk) {
  if (!begun_) begin(desk);
  const std::size_t end = std::min(ids_.size(), next_ + kViewsPerJob);
  for (; next_ < end; ++next_) look_at(ids_[next_], desk);
  return next_ < ids_.size() ? Progress::again : Progress::done;
}

void ListSessions::look_at(ConnectionId id, Desk& desk) {
  auto view = desk.calls.view(id, desk.now);
  if (!view || !matches(*view, wanted_)) return;  // it may have ended between two jobs
  if (!counts_all()) ++total_;
  if (id.value() <= wanted_.after.value()) return;
  if (page_.size() < wanted_.page_size) {
    page_.push_back(std::move(*view));
  } else {
    more_ = true;
  }
}

void ListSessions::write(Response& out) const {
  constexpr std::size_t kFraming = 8;  // the tag and the length in front of each
  out.set_total_count(total_);
  std::size_t bytes = 0, written = 0;
  for (; written < page_.size(); ++written) {
    ::rtpproxy::SessionInfo& session = *out.add_sessions();
    write_session(page_[written], session);
    bytes += session.ByteSizeLong() + kFraming;
    if (bytes > kMaxPageBytes && written > 0) {
      out.mutable_sessions()->RemoveLast();
      break;
    }
  }
  if (written < page_.size() || (more_ && written > 0)) out.set_next_page_token(page_token(page_[written - 1].id));
}

}  // namespace millrace::control::grpc
