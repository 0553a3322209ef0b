#pragma once
// Which connection a command means: comparisons of tag text, nothing else. A connection is known by the tag of its
// offerer, "tag" or "tag;N"; the number says which m= line, so one tag may have many connections. Pure functions.

#include <optional>
#include <string_view>

namespace millrace::session {

// A tag cut at its last semicolon.
struct MediaTag {
  std::string_view tag;    // "as3f"
  std::string_view media;  // ";1", or empty
};
[[nodiscard]] MediaTag split_tag(std::string_view text);

// The text is exactly this tag, number and all.
[[nodiscard]] bool is_exactly(const MediaTag& known, std::string_view text);
// The text is this tag up to one of its semicolons: "as3f" of "as3f;1", never "as3" or "as3f;1" itself.
[[nodiscard]] bool is_bare(const MediaTag& known, std::string_view text);

enum class Direction : std::uint8_t {
  forward,   // `from` is the offerer
  reversed,  // `to` is
};
// The other tag is not compared: a call that was forked to many phones has many answerers for one connection.
[[nodiscard]] std::optional<Direction> match(const MediaTag& offerer, std::string_view from, std::string_view to);

// Deleting is more generous: a bare tag stands for all media of its party.
struct DeleteMatch {
  Direction direction;
  bool exact;  // one connection was meant
};
[[nodiscard]] std::optional<DeleteMatch> match_for_delete(const MediaTag& offerer, std::string_view from,
                                                          std::string_view to);

}  // namespace millrace::session
