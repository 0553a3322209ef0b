#include "config/value.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace millrace::config {

std::string Where::to_string() const { return line == 0 ? source : fmt::format("{}:{}", source, line); }

const Value* Value::find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::string Value::to_toml() const {
  switch (kind) {
    case Kind::boolean: return boolean ? "true" : "false";
    case Kind::integer: return std::to_string(integer);
    case Kind::text: return quote(text);
    case Kind::bare:
    case Kind::other: return text;
    case Kind::list: {
      std::vector<std::string> parts;
      for (const Value& item : items) parts.push_back(item.to_toml());
      return fmt::format("[{}]", fmt::join(parts, ", "));
    }
    case Kind::table: {
      std::vector<std::string> parts;
      for (const auto& [key, value] : entries) parts.push_back(fmt::format("{} = {}", key, value.to_toml()));
      return fmt::format("{{ {} }}", fmt::join(parts, ", "));
    }
  }
  return {};
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (const auto byte = static_cast<unsigned char>(c); byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string Mistake::to_string() const {
  std::string out = where.to_string();
  if (!key.empty()) out += ": " + key;
  out += ": " + problem;
  if (!allowed.empty()) out += "; allowed: " + allowed;
  if (!nearest.empty()) out += "; did you mean " + nearest + "?";
  return out;
}

}  // namespace millrace::config
