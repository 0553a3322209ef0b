#pragma once
// How a remote became what it is: the last decisions of a latch, each with its moment and its reason, for whoever asks
// why. Every port of every call carries one, so entries are coded: memory a call is a published figure.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "net/endpoint.hpp"

namespace millrace::flow {

// Spelled in words when shown (describe()).
enum class Cause : std::uint8_t {
  signalled,          // told by the signalling
  first_packet,       // nothing, or nothing confirmed, was known
  signalled_source,   // the exact signalled address and port showed up
  better_source,      // ranks above the source learned before, within the window
  same_stream_moved,  // the same SSRC went on from elsewhere after silence (NAT rebinding)
  after_update,       // moved soon after a new address was signalled
  follows_rtp,        // RTCP: guessed from the RTP source, port + 1
};
std::string_view describe(Cause cause);

struct HistoryEntry {
  WallTime at;  // to the millisecond
  net::Endpoint endpoint;
  Cause cause = Cause::signalled;
};
inline constexpr std::size_t kHistoryEntries = 8;

class EndpointHistory {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] HistoryEntry operator[](std::size_t index) const;
  [[nodiscard]] HistoryEntry back() const { return (*this)[size_ - 1u]; }
  [[nodiscard]] std::vector<HistoryEntry> entries() const;  // the oldest first

  // The oldest goes when a ninth comes.
  void push_back(const HistoryEntry& entry);
  void erase_at(std::size_t index);

 private:
  // Moments count from the first entry there ever was: 49 days, then they stand still.
  struct Coded {
    net::Endpoint endpoint;
    std::uint32_t after_ms = 0;
  };
  std::array<Coded, kHistoryEntries> coded_{};
  WallTime start_;
  std::array<Cause, kHistoryEntries> causes_{};
  std::uint8_t size_ = 0;
};

// On one line: "10:02:11.120 learned 203.0.113.7:4000: first packet; 10:02:11.180 replaced by ...".
std::string history_text(std::span<const HistoryEntry> history);

}  // namespace millrace::flow
