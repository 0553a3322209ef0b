#pragma once
// From a document to settings, by their declarations. read() is for one section; Settings holds all of them for the
// composition root, which reads once, passes `const&` down, and on reload puts the live part of a new reading over
// the old one. Every mistake is collected, so that an operator mends a file in one go.

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "config/codec.hpp"
#include "config/document.hpp"
#include "config/schema.hpp"
#include "config/value.hpp"

namespace millrace::config {

struct FieldInfo {
  std::string_view key, allowed, help;
  Reload reload = Reload::restart;
  const Codec* codec = nullptr;
  std::function<void*(void* owner)> member;

  [[nodiscard]] std::string print(const void* owner) const;
  [[nodiscard]] std::string allowed_text() const;  // "a duration, 10ms..500ms"
};

// A section without its types.
struct SectionInfo {
  std::string_view name, about;
  bool repeated = false;
  std::vector<FieldInfo> fields{};
  std::function<std::shared_ptr<void>()> make{};  // a value that holds the defaults; of a repeated section: no entry
  std::function<std::shared_ptr<void>()> make_entry{};              // one Owner with its defaults
  std::function<void(void* value, const void* entry)> append{};     // repeated only
  std::function<std::vector<const void*>(const void* value)> entries{};  // each Owner of the value; one if not repeated
};
using Sections = std::vector<SectionInfo>;

template <class Owner, class Value, class... Members>
SectionInfo describe(const Section<Owner, Value, Members...>& section);

// One section. Keys and sections that are not declared are Settings' business when the whole document is read.
template <class Owner, class Value, class... Members>
std::expected<Value, Mistakes> read(const Document& document, const Section<Owner, Value, Members...>& section);

// The values of many sections.
class Settings {
 public:
  template <class Owner, class Value, class... Members>
  [[nodiscard]] const Value& get(const Section<Owner, Value, Members...>& section) const {
    return *static_cast<const Value*>(find(section.name));
  }
  [[nodiscard]] const void* find(std::string_view section) const;  // the section was read
  void set(std::string_view section, std::shared_ptr<const void> value);

 private:
  std::map<std::string, std::shared_ptr<const void>, std::less<>> values_;
};

std::expected<Settings, Mistakes> read_all(const Document& document, const Sections& sections);

struct Difference {
  std::string key;  // "media.order", "interface"
  std::string before, after;
  Reload reload = Reload::restart;
};
std::vector<Difference> differences(const Sections& sections, const Settings& before, const Settings& after);
// `before` with what may change at run time taken from `after`.
Settings with_live(const Sections& sections, const Settings& before, const Settings& after);

// Reads one section into a value made by `info.make()`.
void read_section(const Document& document, const SectionInfo& info, void* value, Mistakes& mistakes);

// The word of `known` that `word` was probably meant to be; empty: none is near.
std::string nearest(std::string_view word, const std::vector<std::string_view>& known);

// ---- templates ----

template <class Owner, class Value, class... Members>
SectionInfo describe(const Section<Owner, Value, Members...>& section) {
  constexpr bool repeated = !std::is_same_v<Owner, Value>;
  SectionInfo info{.name = section.name, .about = section.about, .repeated = repeated};
  const auto add = [&info]<class Member>(const Field<Owner, Member>& field) {
    info.fields.push_back(
        {.key = field.key,
         .allowed = field.allowed,
         .help = field.help,
         .reload = field.reload,
         .codec = &codec_of<Member>(),
         .member = [member = field.member](void* owner) -> void* { return &(static_cast<Owner*>(owner)->*member); }});
  };
  std::apply([&add](const auto&... field) { (add(field), ...); }, section.fields);
  info.make = [] { return std::static_pointer_cast<void>(std::make_shared<Value>()); };
  info.make_entry = [] { return std::static_pointer_cast<void>(std::make_shared<Owner>()); };
  info.entries = [](const void* value) {
    std::vector<const void*> entries;
    if constexpr (repeated) {
      for (const Owner& entry : *static_cast<const Value*>(value)) entries.push_back(&entry);
    } else {
      entries.push_back(value);
    }
    return entries;
  };
  if constexpr (repeated) {
    info.append = [](void* value, const void* entry) {
      static_cast<Value*>(value)->push_back(*static_cast<const Owner*>(entry));
    };
  }
  return info;
}

template <class Owner, class Value, class... Members>
std::expected<Value, Mistakes> read(const Document& document, const Section<Owner, Value, Members...>& section) {
  Value value{};
  Mistakes mistakes;
  read_section(document, describe(section), &value, mistakes);
  if (!mistakes.empty()) return std::unexpected{std::move(mistakes)};
  return value;
}

}  // namespace millrace::config
