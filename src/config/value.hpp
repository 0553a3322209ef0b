#pragma once
// What a settings file holds before anyone knows what it means, and what is wrong with it. Plain values: the TOML
// library stays in document.cpp.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::config {

// Where something was written: "/etc/millrace.toml" and a line, or "--set".
struct Where {
  std::string source;
  std::uint32_t line = 0;  // from 1; 0: a place without lines
  [[nodiscard]] std::string to_string() const;
};

struct Value {
  enum class Kind : std::uint8_t {
    boolean,
    integer,
    text,
    bare,   // text of a --set: the setting's type decides what it is
    list,
    table,
    other,  // TOML has dates and fractions; no setting is one
  };
  Kind kind = Kind::other;
  bool boolean = false;
  std::int64_t integer = 0;
  std::string text{};          // of text, bare and other
  std::vector<Value> items{};  // of list
  std::vector<std::pair<std::string, Value>> entries{};  // of table, in the order of the file
  Where where{};

  [[nodiscard]] bool is_text() const { return kind == Kind::text || kind == Kind::bare; }
  [[nodiscard]] const Value* find(std::string_view key) const;  // in a table
  // As it reads in a file.
  [[nodiscard]] std::string to_toml() const;
};

// Text as TOML has it: quoted, with escapes.
std::string quote(std::string_view text);

// One thing that is wrong with a configuration.
struct Mistake {
  Where where{};
  std::string key{};    // "dtmf.min_tone"; empty: it is about the whole file
  std::string problem{};  // "5ms is out of range"
  std::string allowed{};  // "a duration, 10ms..500ms"; empty: nothing to add
  std::string nearest{};  // the known key that was probably meant; empty: none is near

  // "millrace.toml:7: dtmf.min_tone: 5ms is out of range; allowed: a duration, 10ms..500ms"
  [[nodiscard]] std::string to_string() const;
};
using Mistakes = std::vector<Mistake>;

}  // namespace millrace::config
