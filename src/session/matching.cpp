#include "session/matching.hpp"

namespace millrace::session {

MediaTag split_tag(std::string_view text) {
  const auto semicolon = text.rfind(';');
  if (semicolon == std::string_view::npos) return {.tag = text, .media = {}};
  return {.tag = text.substr(0, semicolon), .media = text.substr(semicolon)};
}

bool is_exactly(const MediaTag& known, std::string_view text) {
  return text.size() == known.tag.size() + known.media.size() && text.starts_with(known.tag) &&
         text.ends_with(known.media);
}

bool is_bare(const MediaTag& known, std::string_view text) {
  if (text.empty() || !known.tag.starts_with(text)) return false;
  if (text.size() == known.tag.size()) return !known.media.empty();
  return known.tag[text.size()] == ';';
}

std::optional<Direction> match(const MediaTag& offerer, std::string_view from, std::string_view to) {
  if (is_exactly(offerer, from)) return Direction::forward;
  if (to.empty()) return std::nullopt;
  if (is_exactly(offerer, to)) return Direction::reversed;
  // A bare `to` borrows the number of `from`: both parties number the same m= lines.
  if (is_bare(offerer, to) && split_tag(from).media == offerer.media) return Direction::reversed;
  return std::nullopt;
}

std::optional<DeleteMatch> match_for_delete(const MediaTag& offerer, std::string_view from, std::string_view to) {
  if (is_exactly(offerer, from)) return DeleteMatch{Direction::forward, true};
  if (is_bare(offerer, from)) return DeleteMatch{Direction::forward, false};
  if (to.empty()) return std::nullopt;
  if (is_exactly(offerer, to)) return DeleteMatch{Direction::reversed, true};
  if (is_bare(offerer, to)) return DeleteMatch{Direction::reversed, false};
  return std::nullopt;
}

}  // namespace millrace::session
