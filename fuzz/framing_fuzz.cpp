// RFC 4571: packets behind their lengths. The input is a stream; its first byte says in what pieces it arrives. However
// it is cut, the same packets come out, and they are the ones that a plain walk over the whole stream finds.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/byte_reader.hpp"
#include "base/check.hpp"
#include "dataplane/socket/framing.hpp"

namespace {

using namespace millrace;
using dataplane::FrameReader;
using dataplane::kFrameHeader;

// Packets and "too long" marks, in order, as (length, first byte), which is enough to tell streams apart.
struct Seen {
  std::vector<std::span<const std::byte>> packets;
  std::size_t too_long = 0;
};

Seen walk(std::span<const std::byte> stream) {
  Seen seen;
  ConstByteReader in{stream};
  while (in.left() >= kFrameHeader) {
    const std::size_t size = in.u16();
    if (size > flow::kMaxDatagram) {
      ++seen.too_long;
      (void)in.take(std::min(size, in.left()));
    } else if (size > in.left()) {
      break;
    } else if (size != 0) {
      seen.packets.push_back(in.take(size));
    }
  }
  return seen;
}

void check_reader(std::span<const std::byte> stream, const Seen& expected, std::size_t piece) {
  FrameReader reader;
  std::size_t packets = 0, too_long = 0;
  while (!stream.empty()) {
    const auto room = reader.room();
    MR_CHECK(!room.empty());
    const std::size_t count = std::min({piece, room.size(), stream.size()});
    std::ranges::copy(stream.first(count), room.begin());
    reader.filled(count);
    stream = stream.subspan(count);
    while (const auto frame = reader.next()) {
      if (frame->too_long) {
        MR_CHECK(frame->bytes.empty());
        ++too_long;
      } else {
        MR_CHECK(packets < expected.packets.size() && std::ranges::equal(frame->bytes, expected.packets[packets]));
        ++packets;
      }
    }
  }
  MR_CHECK(packets == expected.packets.size() && too_long == expected.too_long);
}

// What a socket takes in pieces comes out as it went in.
void check_rest(std::span<const std::byte> packet, std::size_t piece) {
  dataplane::FrameRest rest;
  const auto header = dataplane::frame_header(packet.size());
  std::vector<std::byte> expected{header.begin(), header.end()};
  expected.insert(expected.end(), packet.begin(), packet.end());
  std::vector<std::byte> sent{expected.begin(),
                              expected.begin() + static_cast<std::ptrdiff_t>(std::min(piece, expected.size()))};
  rest.keep(header, packet, sent.size());
  while (!rest.empty()) {
    const auto some = rest.bytes().first(std::min(piece, rest.bytes().size()));
    sent.insert(sent.end(), some.begin(), some.end());
    rest.sent(some.size());
  }
  MR_CHECK(sent == expected);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::size_t{data[0]} + 1;
  const auto stream = std::as_bytes(std::span{data, size}).subspan(1);
  const Seen expected = walk(stream);
  check_reader(stream, expected, piece);
  check_reader(stream, expected, size);
  for (const auto packet : expected.packets) check_rest(packet, piece);
  return 0;
}
