#include "rtp/rtcp.hpp"

#include "rtp/demux.hpp"

namespace millrace::rtp {
namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::string_view describe(RtcpError error) {
  switch (error) {
    case RtcpError::truncated: return "ends before its length says";
    case RtcpError::bad_version: return "not RTCP version 2";
    case RtcpError::bad_padding: return "padding that cannot be";
    case RtcpError::bad_length: return "too short for its type and count";
    case RtcpError::wrong_type: return "another packet type";
  }
  return "unknown";
}

std::expected<RtcpPacket, RtcpError> read_packet(ConstByteReader& in) {
  const auto start = in.rest();
  const auto first = in.u8();
  const auto type = in.u8();
  const auto body_size = 4u * in.u16();
  auto body = in.take(body_size);
  if (!start.empty() && std::to_integer<unsigned>(start[0]) >> 6 != 2) return std::unexpected{RtcpError::bad_version};
  if (!in.ok()) return std::unexpected{RtcpError::truncated};
  if ((first & 0x20) != 0) {
    // The last byte counts the padding, itself included, in whole words (§6.4.1). It belongs into the last packet of
    // a compound only; where it stands elsewhere it still tells what is no content.
    const auto padding = body.empty() ? 0u : std::to_integer<unsigned>(body.back());
    if (padding == 0 || padding % 4 != 0 || padding > body.size()) return std::unexpected{RtcpError::bad_padding};
    body = body.first(body.size() - padding);
  }
  return RtcpPacket{.type = static_cast<RtcpType>(type),
                    .count = static_cast<std::uint8_t>(first & 0x1f),
                    .whole = start.first(kRtcpHeaderSize + body_size),
                    .body = body};
}

std::expected<Compound, RtcpError> parse_compound(std::span<const std::byte> datagram) {
  if (datagram.empty()) return std::unexpected{RtcpError::truncated};
  ConstByteReader in{datagram};
  const auto packets = decltype(Compound::packets)::over(in);
  if (!packets) return std::unexpected{packets.error()};
  const auto first = (*packets->begin()).type;
  return Compound{.packets = *packets,
                  .reduced_size = first != RtcpType::sender_report && first != RtcpType::receiver_report};
}

std::expected<ReportBlock, RtcpError> read_report_block(ConstByteReader& in) {
  ReportBlock block;
  block.source = Ssrc{in.u32()};
  const auto loss = in.u32();
  block.fraction_lost = static_cast<std::uint8_t>(loss >> 24);
  block.lost = static_cast<std::int32_t>(loss << 8) >> 8;  // carries the sign of bit 23 upwards
  block.extended_highest = in.u32();
  block.jitter = in.u32();
  block.last_sr = in.u32();
  block.delay_since_sr = in.u32();
  if (!in.ok()) return std::unexpected{RtcpError::bad_length};
  return block;
}

std::optional<Nanoseconds> round_trip(const ReportBlock& block, NtpTime arrival) {
  if (block.last_sr == 0) return std::nullopt;
  const std::uint32_t units = arrival.middle() - block.last_sr - block.delay_since_sr;
  if (units >= 0x80000000u) return std::nullopt;
  return Nanoseconds{static_cast<std::int64_t>(units) * 1'000'000'000 >> 16};
}

std::expected<SenderReport, RtcpError> read_sender_report(const RtcpPacket& packet) {
  if (packet.type != RtcpType::sender_report) return std::unexpected{RtcpError::wrong_type};
  ConstByteReader in{packet.body};
  SenderReport report;
  report.sender = Ssrc{in.u32()};
  report.ntp.seconds = in.u32();
  report.ntp.fraction = in.u32();
  report.rtp_timestamp = in.u32();
  report.packets = in.u32();
  report.bytes = in.u32();
  if (!in.ok()) return std::unexpected{RtcpError::bad_length};
  const auto blocks = ReportBlocks::over(in, packet.count);
  if (!blocks) return std::unexpected{blocks.error()};
  report.reports = *blocks;
  report.extension = in.rest();
  return report;
}

std::expected<ReceiverReport, RtcpError> read_receiver_report(const RtcpPacket& packet) {
  if (packet.type != RtcpType::receiver_report) return std::unexpected{RtcpError::wrong_type};
  ConstByteReader in{packet.body};
  const Ssrc sender{in.u32()};
  if (!in.ok()) return std::unexpected{RtcpError::bad_length};
  const auto blocks = ReportBlocks::over(in, packet.count);
  if (!blocks) return std::unexpected{blocks.error()};
  return ReceiverReport{.sender = sender, .reports = *blocks, .extension = in.rest()};
}

std::expected<SdesItem, RtcpError> read_sdes_item(ConstByteReader& in) {
  const auto type = in.u8();
  const auto text = in.take(in.u8());
  if (!in.ok()) return std::unexpected{RtcpError::bad_length};
  return SdesItem{.type = type, .text = text_of(text)};
}

std::expected<SdesChunk, RtcpError> read_sdes_chunk(ConstByteReader& in) {
  const auto start = in.rest();
  SdesChunk chunk{.source = Ssrc{in.u32()}, .items = {}};
  const auto items = in.rest();
  while (in.left() > 0 && in.rest().front() != std::byte{0}) {
    if (const auto item = read_sdes_item(in); !item) return std::unexpected{item.error()};
  }
  const auto items_size = items.size() - in.left();
  in.skip(1);  // the null that ends the list
  in.skip((4 - (start.size() - in.left()) % 4) % 4);  // and those up to the next word
  if (!in.ok()) return std::unexpected{RtcpError::bad_length};
  ConstByteReader inside{items.first(items_size)};
  chunk.items = *decltype(chunk.items)::over(inside);  // read just now
  return chunk;
}

std::expected<SourceDescription, RtcpError> read_source_description(const RtcpPacket& packet) {
  if (packet.type != RtcpType::source_description) return std::unexpected{RtcpError::wrong_type};
  ConstByteReader in{packet.body};
  const auto chunks = decltype(SourceDescription::chunks)::over(in, packet.count);
  if (!chunks) return std::unexpected{chunks.error()};
  return SourceDescription{*chunks};
}

std::expected<Ssrc, RtcpError> read_source(ConstByteReader& in) {
  const Ssrc source{in.u32()};
  if (!in.ok()) return std::unexpected{RtcpError::bad_length};
  return source;
}

std::expected<Goodbye, RtcpError> read_goodbye(const RtcpPacket& packet) {
  if (packet.type != RtcpType::goodbye) return std::unexpected{RtcpError::wrong_type};
  ConstByteReader in{packet.body};
  const auto sources = decltype(Goodbye::sources)::over(in, packet.count);
  if (!sources) return std::unexpected{sources.error()};
  std::string_view reason;
  if (in.left() > 0) reason = text_of(in.take(in.u8()));
  if (!in.ok()) return std::unexpected{RtcpError::bad_length};
  return Goodbye{.sources = *sources, .reason = reason};
}

std::expected<Application, RtcpError> read_application(const RtcpPacket& packet) {
  if (packet.type != RtcpType::application) return std::unexpected{RtcpError::wrong_type};
  ConstByteReader in{packet.body};
  Application application{.subtype = packet.count, .source = Ssrc{in.u32()}, .name = {}, .data = {}};
  for (char& letter : application.name) letter = static_cast<char>(in.u8());
  if (!in.ok()) return std::unexpected{RtcpError::bad_length};
  application.data = in.rest();
  return application;
}

std::expected<Feedback, RtcpError> read_feedback(const RtcpPacket& packet) {
  if (packet.type != RtcpType::transport_feedback && packet.type != RtcpType::payload_feedback) {
    return std::unexpected{RtcpError::wrong_type};
  }
  ConstByteReader in{packet.body};
  const Ssrc sender{in.u32()};
  const Ssrc media{in.u32()};
  if (!in.ok()) return std::unexpected{RtcpError::bad_length};
  return Feedback{
      .type = packet.type, .format = packet.count, .sender = sender, .media = media, .control_information = in.rest()};
}

std::expected<ExtendedBlock, RtcpError> read_extended_block(ConstByteReader& in) {
  const auto type = in.u8();
  const auto specific = in.u8();
  const auto body = in.take(4u * in.u16());
  if (!in.ok()) return std::unexpected{RtcpError::bad_length};
  return ExtendedBlock{.type = type, .specific = specific, .body = body};
}

std::expected<ExtendedReport, RtcpError> read_extended_report(const RtcpPacket& packet) {
  if (packet.type != RtcpType::extended_report) return std::unexpected{RtcpError::wrong_type};
  ConstByteReader in{packet.body};
  const Ssrc sender{in.u32()};
  if (!in.ok()) return std::unexpected{RtcpError::bad_length};
  const auto blocks = decltype(ExtendedReport::blocks)::over(in);
  if (!blocks) return std::unexpected{blocks.error()};
  return ExtendedReport{.sender = sender, .blocks = *blocks};
}

}  // namespace millrace::rtp
