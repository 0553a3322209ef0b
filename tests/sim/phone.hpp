#pragma once
// A party: sends RTP every 20 ms and RTCP every second to where the signalling told it to, from one address, perhaps
// behind a NAT, and remembers what it hears.

#include <cstdint>
#include <vector>

#include "sim/network.hpp"
#include "sim/schedule.hpp"

namespace millrace::sim {

inline constexpr Nanoseconds kPacketTime = std::chrono::milliseconds{20};

class Phone {
 public:
  Phone(Schedule& schedule, Network& network, Nat* nat, net::Endpoint rtp, std::uint32_t ssrc);
  Phone(const Phone&) = delete;
  Phone& operator=(const Phone&) = delete;

  // Talks from now on, until hush(); called again: to somewhere else.
  void talk_to(const net::Endpoint& relay);
  void hush() { talking_ = false; }

  // What its SDP says: its own address, which nobody outside a NAT can reach.
  [[nodiscard]] const net::Endpoint& signalled() const { return rtp_; }
  // Where it really is, as the relay sees it.
  [[nodiscard]] net::Endpoint seen_as() const;
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t heard() const { return heard_; }                // RTP
  [[nodiscard]] std::uint64_t heard_rtcp() const { return heard_rtcp_; }
  [[nodiscard]] std::uint64_t heard_of_strangers() const { return strangers_; }  // RTP that no peer sent
  void expect(const Phone& peer) { peer_ssrcs_.push_back(peer.ssrc_); }

 private:
  void send(const net::Endpoint& from, const net::Endpoint& to, Bytes bytes);
  void send_next();
  void receive(const Packet& packet);

  Schedule& schedule_;
  Network& network_;
  Nat* nat_;
  net::Endpoint rtp_;
  net::Endpoint relay_;
  std::uint32_t ssrc_;
  std::vector<std::uint32_t> peer_ssrcs_;
  std::uint16_t sequence_;
  std::uint64_t sent_ = 0, heard_ = 0, heard_rtcp_ = 0, strangers_ = 0;
  bool talking_ = false;
  bool running_ = false;
};

[[nodiscard]] Bytes rtp_bytes(std::uint16_t sequence, std::uint32_t ssrc);

}  // namespace millrace::sim
