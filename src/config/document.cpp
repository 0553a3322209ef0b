#include "config/document.hpp"

#define TOML_ENABLE_FORMATTERS 0
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

namespace millrace::config {
namespace {

constexpr std::string_view kOverride = "--set";
constexpr std::size_t kMaxFileBytes = 1 << 20;  // a settings file; what is longer is something else

// The packaged library throws.
std::expected<toml::table, toml::parse_error> parse(std::string_view text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return std::unexpected{error};
  }
}

Value convert(const toml::node& node, const std::string& source);

Value convert_table(const toml::table& table, const std::string& source) {
  Value value{.kind = Value::Kind::table};
  for (const auto& [key, child] : table) value.entries.emplace_back(std::string{key.str()}, convert(child, source));
  // toml++ sorts keys; mistakes are reported in the order of the file.
  std::ranges::stable_sort(value.entries, {}, [](const auto& entry) { return entry.second.where.line; });
  return value;
}

std::string print_other(const toml::node& node) {
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  return "a date or time";
}

Value convert(const toml::node& node, const std::string& source) {
  Value value;
  if (const auto* table = node.as_table()) {
    value = convert_table(*table, source);
  } else if (const auto* array = node.as_array()) {
    value.kind = Value::Kind::list;
    for (const auto& item : *array) value.items.push_back(convert(item, source));
  } else if (const auto* text = node.as_string()) {
    value.kind = Value::Kind::text;
    value.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    value.kind = Value::Kind::integer;
    value.integer = integer->get();
  } else if (const auto* boolean = node.as_boolean()) {
    value.kind = Value::Kind::boolean;
    value.boolean = boolean->get();
  } else {
    value.text = print_other(node);
  }
  value.where = {source, node.source().begin.line};
  return value;
}

Mistake unreadable(std::string source, int code) {
  return {.where = {std::move(source)}, .problem = "cannot be read: " + std::generic_category().message(code)};
}

// A value that is written as TOML: [..] or {..}.
std::expected<Value, Mistake> parse_override(std::string_view key, std::string_view text) {
  if (!text.starts_with('[') && !text.starts_with('{')) {
    return Value{.kind = Value::Kind::bare, .text = std::string{text}, .where = {std::string{kOverride}}};
  }
  const auto parsed = parse(fmt::format("value = {}\n", text));
  if (!parsed) {
    return std::unexpected{Mistake{.where = {std::string{kOverride}},
                                   .key = std::string{key},
                                   .problem = fmt::format("{} is no TOML: {}", text, parsed.error().description())}};
  }
  Value value = convert(*parsed->get("value"), std::string{kOverride});
  value.where.line = 0;
  return value;
}

void put(Value& table, std::string_view key, Value value) {
  for (auto& [name, old] : table.entries) {
    if (name == key) {
      old = std::move(value);
      return;
    }
  }
  table.entries.emplace_back(std::string{key}, std::move(value));
}

}  // namespace

Document::Document() { root_.kind = Value::Kind::table; }

std::expected<Document, Mistake> Document::from_file(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return std::unexpected{unreadable(path.string(), EISDIR)};
  std::ifstream file{path, std::ios::binary};
  if (!file) return std::unexpected{unreadable(path.string(), errno)};
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxFileBytes) return std::unexpected{unreadable(path.string(), EFBIG)};
  return from_text(text, path.string());
}

std::expected<Document, Mistake> Document::from_text(std::string_view toml, std::string source) {
  const auto parsed = parse(toml);
  if (!parsed) {
    return std::unexpected{Mistake{.where = {std::move(source), parsed.error().source().begin.line},
                                   .problem = "no TOML: " + std::string{parsed.error().description()}}};
  }
  Document document;
  document.root_ = convert_table(*parsed, source);
  return document;
}

std::optional<Mistake> Document::set(std::string_view assignment) {
  const auto equals = assignment.find('=');
  const auto name = assignment.substr(0, equals);
  const auto dot = name.find('.');
  const auto refuse = [&name](std::string problem) {
    return Mistake{.where = {std::string{kOverride}}, .key = std::string{name}, .problem = std::move(problem)};
  };
  if (equals == std::string_view::npos || name.empty()) return refuse("has the form section.key=value");
  auto value = parse_override(name, assignment.substr(equals + 1));
  if (!value) return value.error();
  if (dot == std::string_view::npos) {
    if (value->kind == Value::Kind::bare) return refuse("has the form section.key=value");
    put(root_, name, *std::move(value));
    return std::nullopt;
  }
  const auto section = name.substr(0, dot);
  if (root_.find(section) == nullptr) {
    put(root_, section, Value{.kind = Value::Kind::table, .where = {std::string{kOverride}}});
  }
  const auto entry = std::ranges::find(root_.entries, section, &std::pair<std::string, Value>::first);
  if (entry->second.kind != Value::Kind::table) return refuse("the section may come several times; set it as a whole");
  put(entry->second, name.substr(dot + 1), *std::move(value));
  return std::nullopt;
}

}  // namespace millrace::config
