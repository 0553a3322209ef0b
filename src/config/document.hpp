#pragma once
// A settings file as a tree of values that know their lines, and what --set puts over it. Start-up and reload only.

#include <expected>
#include <filesystem>
#include <optional>
#include <string_view>

#include "config/value.hpp"

namespace millrace::config {

class Document {
 public:
  Document();  // empty: every setting has its default

  static std::expected<Document, Mistake> from_file(const std::filesystem::path& path);
  // `source` is how mistakes name it.
  static std::expected<Document, Mistake> from_text(std::string_view toml, std::string source);

  // "section.key=value" over what the file says; the last one counts. A list is written a,b,c or as TOML: [ "a" ].
  // A repeated section is replaced as a whole: interface=[{name="lan", addresses=["10.0.0.1"]}].
  [[nodiscard]] std::optional<Mistake> set(std::string_view assignment);

  [[nodiscard]] const Value& root() const { return root_; }

 private:
  Value root_;  // a table of sections
};

}  // namespace millrace::config
