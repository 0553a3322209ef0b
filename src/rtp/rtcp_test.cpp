#include "rtp/rtcp.hpp"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/testing.hpp"

namespace millrace::rtp {
namespace {

using namespace std::chrono_literals;
using testing::error_of;
using testing::from_hex;

constexpr std::string_view kEmptyReport = "80c90001 00000001";
constexpr std::string_view kBlock = "00000002 40fffffe 00010020 00000050 b7052000 00054000";

RtcpPacket only_packet(const std::vector<std::byte>& bytes) {
  const auto compound = parse_compound(bytes);
  EXPECT_TRUE(compound.has_value());
  return compound ? *compound->packets.begin() : RtcpPacket{};
}

struct FramingCase {
  std::string_view name, hex;
  std::optional<RtcpError> error;
  std::size_t packets = 0;
  bool reduced_size = false;
};

constexpr std::array kFraming{
    FramingCase{"no byte", "", RtcpError::truncated},
    FramingCase{"three bytes", "80c900", RtcpError::truncated},
    FramingCase{"an empty report", kEmptyReport, std::nullopt, 1},
    FramingCase{"one byte short", "80c90001 000000", RtcpError::truncated},
    FramingCase{"one byte too many", "80c90001 00000001 80", RtcpError::truncated},
    FramingCase{"report and goodbye", "80c90001 00000001 81cb0001 00000001", std::nullopt, 2},
    FramingCase{"version one", "40c90001 00000001", RtcpError::bad_version},
    FramingCase{"second packet of version one", "80c90001 00000001 41cb0001 00000001", RtcpError::bad_version},
    FramingCase{"a goodbye alone is of reduced size", "81cb0001 00000001", std::nullopt, 1, true},
    FramingCase{"feedback alone is of reduced size", "81ce0002 00000001 00000002", std::nullopt, 1, true},
    FramingCase{"a type nobody knows", "80c90001 00000001 80d50001 12345678", std::nullopt, 2},
    FramingCase{"header only", "80cb0000", std::nullopt, 1, true},
    FramingCase{"one word of padding", "80c90001 00000001 a1cb0002 00000001 00000004", std::nullopt, 2},
    FramingCase{"padding bit on an empty body", "a0cb0000", RtcpError::bad_padding},
    FramingCase{"padding of zero", "a1cb0001 00000000", RtcpError::bad_padding},
    FramingCase{"padding of three bytes", "a1cb0001 00000003", RtcpError::bad_padding},
    FramingCase{"more padding than there is", "a1cb0001 00000008", RtcpError::bad_padding},
    FramingCase{"longest length that is not there", "80c9ffff 00000001", RtcpError::truncated},
};

TEST(Rtcp, framing_of_a_compound_is_checked_before_anything_is_read) {
  for (const FramingCase& c : kFraming) {
    const auto bytes = from_hex(c.hex);
    const auto compound = parse_compound(bytes);
    EXPECT_EQ(error_of(compound), c.error) << c.name;
    if (!compound) continue;
    EXPECT_EQ(compound->packets.size(), c.packets) << c.name;
    EXPECT_EQ(compound->reduced_size, c.reduced_size) << c.name;
    std::size_t bytes_seen = 0;
    for (const RtcpPacket& packet : compound->packets) bytes_seen += packet.whole.size();
    EXPECT_EQ(bytes_seen, bytes.size()) << c.name;
  }
}

TEST(Rtcp, sender_report_with_a_block_and_an_extension) {
  const auto bytes =
      from_hex("81c8000d 00000001 b44db705 20000000 000000a0 00000064 00003e80" + std::string{kBlock} + "cafebabe");
  const auto report = read_sender_report(only_packet(bytes));
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->sender, Ssrc{1});
  EXPECT_EQ(report->ntp, (NtpTime{0xb44db705, 0x20000000}));
  EXPECT_EQ(report->rtp_timestamp, 160u);
  EXPECT_EQ(report->packets, 100u);
  EXPECT_EQ(report->bytes, 16000u);
  EXPECT_EQ(report->extension.size(), 4u);
  ASSERT_EQ(report->reports.size(), 1u);
  const auto block = *report->reports.begin();
  EXPECT_EQ(block.source, Ssrc{2});
  EXPECT_EQ(block.fraction_lost, 64);
  EXPECT_EQ(block.lost, -2);
  EXPECT_EQ(block.extended_highest, 0x10020u);
  EXPECT_EQ(block.jitter, 80u);
  EXPECT_EQ(block.last_sr, 0xb7052000u);
  EXPECT_EQ(block.delay_since_sr, 0x54000u);
}

TEST(Rtcp, receiver_report_lists_its_blocks_in_order) {
  const auto bytes =
      from_hex("82c9000d 00000009" + std::string{kBlock} + "00000003 007fffff 00000000 00000000 00000000 00000000");
  const auto report = read_receiver_report(only_packet(bytes));
  ASSERT_TRUE(report.has_value());
  std::vector<std::uint32_t> sources;
  std::vector<std::int32_t> lost;
  for (const ReportBlock& block : report->reports) {
    sources.push_back(block.source.value());
    lost.push_back(block.lost);
  }
  EXPECT_EQ(sources, (std::vector<std::uint32_t>{2, 3}));
  EXPECT_EQ(lost, (std::vector<std::int32_t>{-2, 0x7fffff}));
}

TEST(Rtcp, source_description_lists_chunks_and_items) {
  // Two chunks; the first list ends on a word boundary, so a whole word of nulls follows.
  const auto bytes = from_hex("82ca0007 00000001 01026162 03026364 00000000 00000002 01036162 63000000");
  const auto description = read_source_description(only_packet(bytes));
  ASSERT_TRUE(description.has_value());
  std::string seen;
  for (const SdesChunk& chunk : description->chunks) {
    seen += std::to_string(chunk.source.value()) + ":";
    for (const SdesItem& item : chunk.items) seen += " " + std::to_string(item.type) + "=" + std::string{item.text};
    seen += ";";
  }
  EXPECT_EQ(seen, "1: 1=ab 3=cd;2: 1=abc;");
}

TEST(Rtcp, goodbye_may_say_why) {
  const auto bytes = from_hex("82cb0004 00000001 00000002 05 68656c6c 6f0000");
  const auto goodbye = read_goodbye(only_packet(bytes));
  ASSERT_TRUE(goodbye.has_value());
  EXPECT_EQ(goodbye->sources.size(), 2u);
  EXPECT_EQ(goodbye->reason, "hello");
}

TEST(Rtcp, application_defined_packets_have_a_name) {
  const auto bytes = from_hex("85cc0003 00000001 6d696c6c 0a0b0c0d");
  const auto application = read_application(only_packet(bytes));
  ASSERT_TRUE(application.has_value());
  EXPECT_EQ(application->subtype, 5);
  EXPECT_EQ(std::string_view(application->name.data(), 4), "mill");
  EXPECT_EQ(application->data.size(), 4u);
}

TEST(Rtcp, feedback_names_both_sources_and_keeps_its_information) {
  const auto nack = from_hex("81cd0003 00000001 00000002 00050003");
  const auto feedback = read_feedback(only_packet(nack));
  ASSERT_TRUE(feedback.has_value());
  EXPECT_EQ(feedback->type, RtcpType::transport_feedback);
  EXPECT_EQ(feedback->format, 1);
  EXPECT_EQ(feedback->sender, Ssrc{1});
  EXPECT_EQ(feedback->media, Ssrc{2});
  EXPECT_EQ(feedback->control_information.size(), 4u);
  const auto loss_indication = from_hex("81ce0002 00000001 00000002");
  EXPECT_TRUE(read_feedback(only_packet(loss_indication)).has_value());
}

TEST(Rtcp, extended_report_lists_its_blocks) {
  const auto bytes = from_hex("80cf0005 00000001 04000002 b44db705 20000000 63070000");
  const auto report = read_extended_report(only_packet(bytes));
  ASSERT_TRUE(report.has_value());
  ASSERT_EQ(report->blocks.size(), 2u);
  auto block = report->blocks.begin();
  EXPECT_EQ((*block).type, 4);
  EXPECT_EQ((*block).body.size(), 8u);
  ++block;
  EXPECT_EQ((*block).type, 0x63);
  EXPECT_EQ((*block).specific, 7);
}

// What read_…() of the packet's own type says.
std::optional<RtcpError> read_error(const RtcpPacket& packet) {
  switch (packet.type) {
    case RtcpType::sender_report: return error_of(read_sender_report(packet));
    case RtcpType::receiver_report: return error_of(read_receiver_report(packet));
    case RtcpType::source_description: return error_of(read_source_description(packet));
    case RtcpType::goodbye: return error_of(read_goodbye(packet));
    case RtcpType::application: return error_of(read_application(packet));
    case RtcpType::transport_feedback:
    case RtcpType::payload_feedback: return error_of(read_feedback(packet));
    case RtcpType::extended_report: return error_of(read_extended_report(packet));
  }
  return RtcpError::wrong_type;
}

struct BodyCase {
  std::string_view name, hex;
  std::optional<RtcpError> error;
};

constexpr std::array kBodies{
    BodyCase{"sender report without sender information", "80c80001 00000001", RtcpError::bad_length},
    BodyCase{"sender report that promises a block", "81c80006 00000001 b44db705 20000000 000000a0 00000064 00003e80",
             RtcpError::bad_length},
    BodyCase{"receiver report without its sender", "80c90000", RtcpError::bad_length},
    BodyCase{"receiver report that promises 31 blocks", "9fc90001 00000001", RtcpError::bad_length},
    BodyCase{"description without chunks", "80ca0000", std::nullopt},
    BodyCase{"description that promises a chunk", "81ca0000", RtcpError::bad_length},
    BodyCase{"item past the end", "81ca0002 00000001 01ff6162", RtcpError::bad_length},
    BodyCase{"item without its length", "81ca0002 00000001 01010101", RtcpError::bad_length},
    BodyCase{"list of items without an end", "81ca0002 00000001 01026162", RtcpError::bad_length},
    BodyCase{"chunk without items", "81ca0002 00000001 00000000", std::nullopt},
    BodyCase{"goodbye of nobody", "80cb0000", std::nullopt},
    BodyCase{"goodbye that promises two", "82cb0001 00000001", RtcpError::bad_length},
    BodyCase{"reason past the end", "81cb0002 00000001 ff616263", RtcpError::bad_length},
    BodyCase{"goodbye whose only word is padding", "a1cb0001 00000004", RtcpError::bad_length},
    BodyCase{"application-defined without a name", "80cc0001 00000001", RtcpError::bad_length},
    BodyCase{"feedback without its media source", "81cd0001 00000001", RtcpError::bad_length},
    BodyCase{"extended report without blocks", "80cf0001 00000001", std::nullopt},
    BodyCase{"extended report without its sender", "80cf0000", RtcpError::bad_length},
    BodyCase{"extended block past the end", "80cf0002 00000001 04000002", RtcpError::bad_length},
    BodyCase{"a type nobody knows", "80d50001 00000001", RtcpError::wrong_type},
};

TEST(Rtcp, a_body_too_short_for_its_promise_is_named) {
  for (const BodyCase& c : kBodies) {
    const auto bytes = from_hex(c.hex);
    EXPECT_EQ(read_error(only_packet(bytes)), c.error) << c.name;
  }
}

TEST(Rtcp, a_packet_is_not_read_as_another_type) {
  const auto bytes = from_hex("80d20006 00000001 b44db705 20000000 000000a0 00000064 00003e80");
  const auto packet = only_packet(bytes);
  EXPECT_EQ(error_of(read_sender_report(packet)), RtcpError::wrong_type);
  EXPECT_EQ(error_of(read_receiver_report(packet)), RtcpError::wrong_type);
  EXPECT_EQ(error_of(read_source_description(packet)), RtcpError::wrong_type);
  EXPECT_EQ(error_of(read_goodbye(packet)), RtcpError::wrong_type);
  EXPECT_EQ(error_of(read_application(packet)), RtcpError::wrong_type);
  EXPECT_EQ(error_of(read_feedback(packet)), RtcpError::wrong_type);
  EXPECT_EQ(error_of(read_extended_report(packet)), RtcpError::wrong_type);
}

struct RoundTripCase {
  std::string_view name;
  std::uint32_t last_sr, delay;
  NtpTime arrival;
  std::optional<Nanoseconds> round_trip;
};

constexpr std::array kRoundTrips{
    // The figure of RFC 3550 §6.4.1: 6.125 s away.
    RoundTripCase{"the RFC's example", 0xb7052000, 0x00054000, {0xb44db710, 0x80000000}, 6125ms},
    RoundTripCase{"no sender report had come", 0, 0x00054000, {0xb44db710, 0x80000000}, std::nullopt},
    RoundTripCase{"over the wrap of the middle", 0xffff8000, 0x8000, {0x00000000, 0x40000000}, 250ms},
    RoundTripCase{"none at all", 0x00010000, 0, {1, 0}, 0ms},
    RoundTripCase{"clocks that disagree", 0x00020000, 0x00010000, {2, 0x80000000}, std::nullopt},
};

TEST(Rtcp, round_trip_is_arrival_less_report_less_delay) {
  for (const RoundTripCase& c : kRoundTrips) {
    const ReportBlock block{.source = {}, .last_sr = c.last_sr, .delay_since_sr = c.delay};
    EXPECT_EQ(round_trip(block, c.arrival), c.round_trip) << c.name;
  }
}

}  // namespace
}  // namespace millrace::rtp
