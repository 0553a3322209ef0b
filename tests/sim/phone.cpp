#include "sim/phone.hpp"

#include <algorithm>

namespace millrace::sim {

namespace {

constexpr std::size_t kHeader = 12;  // bytes of RTP header
constexpr std::size_t kPayload = 8;  // bytes
constexpr std::size_t kSsrcAt = 8;
constexpr std::uint64_t kPacketsPerRtcp = 50;

void put(Bytes& bytes, std::size_t at, std::uint32_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<std::byte>(value >> (8 * (size - 1 - i)));
}

std::uint32_t ssrc_of(const Bytes& rtp) {
  std::uint32_t ssrc = 0;
  for (std::size_t i = 0; i < 4; ++i) ssrc = ssrc << 8 | std::to_integer<std::uint32_t>(rtp[kSsrcAt + i]);
  return ssrc;
}

// An empty receiver report, RFC 3550 §6.4.2.
Bytes rtcp_bytes(std::uint32_t ssrc) {
  Bytes bytes{std::byte{0x80}, std::byte{201}, std::byte{0}, std::byte{1}, {}, {}, {}, {}};
  put(bytes, 4, ssrc, 4);
  return bytes;
}

}  // namespace

Bytes rtp_bytes(std::uint16_t sequence, std::uint32_t ssrc) {
  Bytes bytes(kHeader + kPayload);
  bytes[0] = std::byte{0x80};
  put(bytes, 2, sequence, 2);
  put(bytes, 4, 160U * sequence, 4);
  put(bytes, kSsrcAt, ssrc, 4);
  return bytes;
}

Phone::Phone(Schedule& schedule, Network& network, Nat* nat, net::Endpoint rtp, std::uint32_t ssrc)
    : schedule_{schedule},
      network_{network},
      nat_{nat},
      rtp_{rtp},
      ssrc_{ssrc},
      sequence_{static_cast<std::uint16_t>(ssrc * 7919)} {
  const auto receiver = [this](const Packet& packet) { receive(packet); };
  if (nat_ == nullptr) {
    network_.attach(rtp_.address, receiver);
  } else {
    nat_->attach(rtp_, receiver);
    nat_->attach(rtp_.next_port(), receiver);
  }
}

net::Endpoint Phone::seen_as() const { return nat_ == nullptr ? rtp_ : nat_->outside_of(rtp_); }

void Phone::talk_to(const net::Endpoint& relay) {
  relay_ = relay;
  talking_ = true;
  if (!running_) {
    running_ = true;
    send_next();
  }
}

void Phone::send_next() {
  if (!talking_) {
    running_ = false;
    return;
  }
  send(rtp_, relay_, rtp_bytes(sequence_++, ssrc_));
  if (sent_++ % kPacketsPerRtcp == 0) send(rtp_.next_port(), relay_.next_port(), rtcp_bytes(ssrc_));
  schedule_.after(kPacketTime, [this] { send_next(); });
}

void Phone::send(const net::Endpoint& from, const net::Endpoint& to, Bytes bytes) {
  Packet packet{.from = from, .to = to, .bytes = std::move(bytes)};
  if (nat_ != nullptr) {
    nat_->send(std::move(packet));
  } else {
    network_.send(std::move(packet));
  }
}

void Phone::receive(const Packet& packet) {
  if (packet.to == rtp_.next_port()) {
    ++heard_rtcp_;
  } else if (packet.to == rtp_) {
    ++heard_;
    const bool whole = packet.bytes.size() == kHeader + kPayload;
    if (!whole || std::ranges::find(peer_ssrcs_, ssrc_of(packet.bytes)) == peer_ssrcs_.end()) ++strangers_;
  }
}

}  // namespace millrace::sim
