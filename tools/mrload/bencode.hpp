#pragma once
// Bencode, as far as a client of the ng protocol needs it: dictionaries of strings and lists out, a dictionary with
// string values in. Pure.
//   string 4:spam   integer i42e   list l4:spame   dictionary d3:key5:valuee

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::mrload::bencode {

// Builds one dictionary, keys in the order given: ng does not ask for sorted ones.
class Dictionary {
 public:
  Dictionary& add(std::string_view key, std::string_view value);
  Dictionary& add_list(std::string_view key, const std::vector<std::string_view>& list);
  [[nodiscard]] std::string text() const { return "d" + body_ + "e"; }

 private:
  std::string body_;
};

// The string values at the top level of a dictionary; values of other kinds are checked and skipped. Nothing when the
// text is no whole dictionary or nests deeper than kMaxDepth. Bytes after it are ignored. The views borrow `text`.
inline constexpr int kMaxDepth = 32;
using Strings = std::vector<std::pair<std::string_view, std::string_view>>;
std::optional<Strings> top_level_strings(std::string_view text);

// The value of `key`, or an empty view.
std::string_view find(const Strings& strings, std::string_view key);

}  // namespace millrace::mrload::bencode
