#include "flow/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>

#include "base/check.hpp"

namespace millrace::flow {

HistoryEntry EndpointHistory::operator[](std::size_t index) const {
  MR_CHECK(index < size_);
  const Coded& coded = coded_[index];
  return {
      .at = start_ + std::chrono::milliseconds{coded.after_ms}, .endpoint = coded.endpoint, .cause = causes_[index]};
}

std::vector<HistoryEntry> EndpointHistory::entries() const {
  std::vector<HistoryEntry> entries;
  entries.reserve(size_);
  for (std::size_t i = 0; i < size_; ++i) entries.push_back((*this)[i]);
  return entries;
}

void EndpointHistory::push_back(const HistoryEntry& entry) {
  if (size_ == kHistoryEntries) erase_at(0);
  if (start_ == WallTime{}) start_ = std::chrono::floor<std::chrono::milliseconds>(entry.at);
  // A clock that was set back in between must not wrap around.
  const auto after = std::chrono::floor<std::chrono::milliseconds>(entry.at - start_).count();
  constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
  coded_[size_] = {.endpoint = entry.endpoint,
                   .after_ms = static_cast<std::uint32_t>(std::clamp<std::int64_t>(after, 0, kMost))};
  causes_[size_] = entry.cause;
  ++size_;
}

void EndpointHistory::erase_at(std::size_t index) {
  MR_CHECK(index < size_);
  const auto at = static_cast<std::ptrdiff_t>(index);
  std::move(coded_.begin() + at + 1, coded_.begin() + size_, coded_.begin() + at);
  std::move(causes_.begin() + at + 1, causes_.begin() + size_, causes_.begin() + at);
  --size_;
}

std::string_view describe(Cause cause) {
  switch (cause) {
    case Cause::signalled: return "named by the signalling";
    case Cause::first_packet: return "first packet";
    case Cause::signalled_source: return "signalled address";
    case Cause::better_source: return "closer to the signalled address, or the first valid RTP";
    case Cause::same_stream_moved: return "the same stream went on from there";
    case Cause::after_update: return "moved soon after the signalling named an address";
    case Cause::follows_rtp: return "one above the RTP source";
  }
  return "unknown";
}

std::string history_text(std::span<const HistoryEntry> history) {
  std::string text;
  bool learned = false;  // a packet's source is being used: the next one replaces it
  for (const HistoryEntry& entry : history) {
    std::string_view verb = learned ? "replaced by" : "learned";
    if (entry.cause == Cause::signalled) verb = "set to";
    if (entry.cause == Cause::follows_rtp) verb = "assumed";
    learned = entry.cause != Cause::signalled && entry.cause != Cause::follows_rtp;
    fmt::format_to(std::back_inserter(text), "{}{} {} {}: {}", text.empty() ? "" : "; ", clock_text(entry.at), verb,
                   entry.endpoint.to_string(), describe(entry.cause));
  }
  return text;
}

}  // namespace millrace::flow
