#pragma once
// Transparent hash for string keys: find(std::string_view) without building a std::string. Debian's Abseil has a
// string_view of its own and its default hash does not take std's.

#include <functional>
#include <string_view>

namespace millrace {

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

struct StringEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
};

}  // namespace millrace
