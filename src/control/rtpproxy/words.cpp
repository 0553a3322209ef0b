#include "control/rtpproxy/words.hpp"

namespace millrace::control::rtpproxy {
namespace {

// Takes the next word off the front of `text`; empty when there is none left.
std::string_view next_word(std::string_view& text) {
  const std::size_t begin = text.find_first_not_of(kSeparators);
  if (begin == std::string_view::npos) {
    text = {};
    return {};
  }
  text.remove_prefix(begin);
  const std::string_view word = text.substr(0, text.find_first_of(kSeparators));
  text.remove_prefix(word.size());
  return word;
}

}  // namespace

Split split_cookie(std::string_view datagram) {
  const std::string_view cookie = next_word(datagram);
  return {.cookie = cookie, .body = datagram};
}

std::expected<Line, ErrorCode> split_words(std::string_view body) {
  if (body.find('\0') != std::string_view::npos) return std::unexpected{ErrorCode::malformed};
  Line line;
  Words* words = &line.main;
  for (auto word = next_word(body); !word.empty(); word = next_word(body)) {
    if (word == "&&") {
      if (words->empty() || line.parts.size() == kMaxParts) return std::unexpected{ErrorCode::malformed};
      words = &line.parts.emplace_back();
      continue;
    }
    if (words->full()) return std::unexpected{ErrorCode::malformed};
    words->push_back(word);
  }
  if (words->empty()) return std::unexpected{ErrorCode::malformed};
  return line;
}

}  // namespace millrace::control::rtpproxy
