#include "dataplane/socket/framing.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"

namespace millrace::dataplane {

std::span<std::byte> FrameReader::room() {
  if (begin_ != 0) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return std::span{bytes_}.subspan(end_);
}

std::optional<Frame> FrameReader::next() {
  for (;;) {
    const std::size_t skipped = std::min(skip_, end_ - begin_);
    begin_ += skipped;
    skip_ -= skipped;
    const std::size_t held = end_ - begin_;
    if (skip_ != 0 || held < kFrameHeader) return std::nullopt;

    const std::byte* at = bytes_.data() + begin_;
    const std::size_t size = std::to_integer<std::size_t>(at[0]) << 8 | std::to_integer<std::size_t>(at[1]);
    if (size > flow::kMaxDatagram) {
      begin_ += kFrameHeader;
      skip_ = size;
      return Frame{.bytes = {}, .too_long = true};
    }
    if (held < kFrameHeader + size) return std::nullopt;
    const auto packet = std::span{bytes_}.subspan(begin_ + kFrameHeader, size);
    begin_ += kFrameHeader + size;
    if (size != 0) return Frame{.bytes = packet};
  }
}

void FrameRest::keep(std::span<const std::byte, kFrameHeader> header, std::span<const std::byte> packet,
                     std::size_t sent) {
  MR_CHECK(empty() && header.size() + packet.size() <= bytes_.size() && sent <= header.size() + packet.size());
  std::memcpy(bytes_.data(), header.data(), header.size());
  std::memcpy(bytes_.data() + header.size(), packet.data(), packet.size());
  begin_ = sent;
  end_ = header.size() + packet.size();
}

}  // namespace millrace::dataplane
