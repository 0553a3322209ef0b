#pragma once
// What one receiving port knows of the RTP that came: sequence numbers and jitter joined. Updated once a packet by
// the worker that owns the port; whoever publishes the numbers reads the getters. Pure, allocates nothing.

#include <cstdint>
#include <optional>

#include "base/strong.hpp"
#include "base/time.hpp"
#include "rtp/header.hpp"
#include "rtp/jitter.hpp"
#include "rtp/sequence.hpp"

namespace millrace::rtp {

class Reception {
 public:
  // `dynamic_rate_hz`: clock rate of dynamic payload types, when the signalling told; 0: their jitter stays 0.
  explicit Reception(std::uint32_t dynamic_rate_hz = 0) : dynamic_rate_hz_{dynamic_rate_hz} {}

  SequenceTracker::Arrival update(const Header& packet, WallTime arrival);

  [[nodiscard]] const SequenceTracker& sequence() const { return sequence_; }
  [[nodiscard]] const Jitter& jitter() const { return jitter_; }
  [[nodiscard]] std::optional<PayloadType> payload_type() const {  // of the last packet
    return sequence_.ssrc_count() == 0 ? std::nullopt : std::optional{payload_type_};
  }

 private:
  void update_jitter(const Header& packet, WallTime arrival);

  SequenceTracker sequence_;
  Jitter jitter_;
  std::uint32_t dynamic_rate_hz_;
  PayloadType payload_type_;
};
static_assert(sizeof(Reception) <= 400, "there is one a port; memory a call is a published figure");

}  // namespace millrace::rtp
