#pragma once
// RTCP, RFC 3550 §6, with the feedback packets of RFC 4585 and the extended reports of RFC 3611. Pure: looks at
// bytes, keeps nothing, allocates nothing; spans are borrowed from the datagram.
//
//   |V=2|P| count |     type      |      length in words - 1      |   and then what the type says
//
// parse_compound() checks the framing of a whole datagram; read_…() checks what one packet holds. A type that is not
// known here is passed as such: an RtcpPacket with its bytes.

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>

#include "base/strong.hpp"
#include "base/time.hpp"
#include "rtp/ntp.hpp"
#include "rtp/walk.hpp"

namespace millrace::rtp {

enum class RtcpError : std::uint8_t {
  truncated,    // ends before its length field says
  bad_version,
  bad_padding,  // more than there is, 0, or no whole words
  bad_length,   // too short for what its type and count promise
  wrong_type,   // read_…() of another type
};
std::string_view describe(RtcpError error);

enum class RtcpType : std::uint8_t {
  sender_report = 200,
  receiver_report = 201,
  source_description = 202,
  goodbye = 203,
  application = 204,
  transport_feedback = 205,  // RTPFB
  payload_feedback = 206,    // PSFB
  extended_report = 207,
};

struct RtcpPacket {
  RtcpType type{};                   // any value off the wire
  std::uint8_t count = 0;            // 5 bits: reports, chunks, sources, subtype or format
  std::span<const std::byte> whole;  // header and padding included
  std::span<const std::byte> body;   // without them
};
[[nodiscard]] std::expected<RtcpPacket, RtcpError> read_packet(ConstByteReader& in);

// One datagram.
struct Compound {
  Walk<RtcpPacket, RtcpError, read_packet> packets;  // at least one
  bool reduced_size = false;  // does not begin with a report: RFC 5506 allows that where it was agreed on
};
[[nodiscard]] std::expected<Compound, RtcpError> parse_compound(std::span<const std::byte> datagram);

// What a receiver tells of one source, §6.4.1.
struct ReportBlock {
  Ssrc source;
  std::uint8_t fraction_lost = 0;       // in 1/256, since the report before
  std::int32_t lost = 0;                // 24 bits, signed: copies make it negative
  std::uint32_t extended_highest = 0;   // sequence number, cycles in the upper half
  std::uint32_t jitter = 0;             // ticks
  std::uint32_t last_sr = 0;            // middle of the NTP time of the last sender report; 0: none came
  std::uint32_t delay_since_sr = 0;     // 2^-16 s
};
[[nodiscard]] std::expected<ReportBlock, RtcpError> read_report_block(ConstByteReader& in);
using ReportBlocks = Walk<ReportBlock, RtcpError, read_report_block>;

// Time from us to the reporter and back: arrival - last SR - delay (§6.4.1). Nothing when no sender report had come,
// or when the clocks disagree so far that it would be negative.
[[nodiscard]] std::optional<Nanoseconds> round_trip(const ReportBlock& block, NtpTime arrival);

struct SenderReport {
  Ssrc sender;
  NtpTime ntp;
  std::uint32_t rtp_timestamp = 0;
  std::uint32_t packets = 0;
  std::uint32_t bytes = 0;  // of payload
  ReportBlocks reports;
  std::span<const std::byte> extension;  // of the profile
};
struct ReceiverReport {
  Ssrc sender;
  ReportBlocks reports;
  std::span<const std::byte> extension;
};

// §6.5: a list of chunks, one a source, each a list of items.
struct SdesItem {
  std::uint8_t type = 0;  // 1: CNAME, 2: NAME, 3: EMAIL, 4: PHONE, 5: LOC, 6: TOOL, 7: NOTE, 8: PRIV
  std::string_view text;  // UTF-8 that nobody has checked
};
[[nodiscard]] std::expected<SdesItem, RtcpError> read_sdes_item(ConstByteReader& in);
struct SdesChunk {
  Ssrc source;
  Walk<SdesItem, RtcpError, read_sdes_item> items;
};
[[nodiscard]] std::expected<SdesChunk, RtcpError> read_sdes_chunk(ConstByteReader& in);
struct SourceDescription {
  Walk<SdesChunk, RtcpError, read_sdes_chunk> chunks;
};

[[nodiscard]] std::expected<Ssrc, RtcpError> read_source(ConstByteReader& in);
struct Goodbye {
  Walk<Ssrc, RtcpError, read_source> sources;
  std::string_view reason;  // may be empty
};

struct Application {
  std::uint8_t subtype = 0;
  Ssrc source;
  std::array<char, 4> name{};
  std::span<const std::byte> data;
};

// RFC 4585 §6.1. The format says what the control information means: RTPFB 1 is a NACK, PSFB 1 a PLI, 4 a FIR.
struct Feedback {
  RtcpType type{};
  std::uint8_t format = 0;
  Ssrc sender, media;
  std::span<const std::byte> control_information;
};

// RFC 3611 §3.
struct ExtendedBlock {
  std::uint8_t type = 0;  // 4: receiver reference time, 5: DLRR, 6: statistics summary, 7: VoIP metrics
  std::uint8_t specific = 0;
  std::span<const std::byte> body;
};
[[nodiscard]] std::expected<ExtendedBlock, RtcpError> read_extended_block(ConstByteReader& in);
struct ExtendedReport {
  Ssrc sender;
  Walk<ExtendedBlock, RtcpError, read_extended_block> blocks;
};

[[nodiscard]] std::expected<SenderReport, RtcpError> read_sender_report(const RtcpPacket& packet);
[[nodiscard]] std::expected<ReceiverReport, RtcpError> read_receiver_report(const RtcpPacket& packet);
[[nodiscard]] std::expected<SourceDescription, RtcpError> read_source_description(const RtcpPacket& packet);
[[nodiscard]] std::expected<Goodbye, RtcpError> read_goodbye(const RtcpPacket& packet);
[[nodiscard]] std::expected<Application, RtcpError> read_application(const RtcpPacket& packet);
[[nodiscard]] std::expected<Feedback, RtcpError> read_feedback(const RtcpPacket& packet);  // RTPFB and PSFB
[[nodiscard]] std::expected<ExtendedReport, RtcpError> read_extended_report(const RtcpPacket& packet);

}  // namespace millrace::rtp
