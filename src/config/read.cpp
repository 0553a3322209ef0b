#include "config/read.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace millrace::config {
namespace {

// Steps of inserting, removing or replacing one letter that lead from `a` to `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

// void* is what Codec stores through; a reading function never writes through it.
void* reading(const void* owner) { return const_cast<void*>(owner); }

void read_entry(const Value& table, const SectionInfo& info, void* owner, Mistakes& mistakes) {
  for (const FieldInfo& field : info.fields) {
    const Value* value = table.find(field.key);
    if (value == nullptr) continue;
    auto stored = field.codec->store(*value, field.allowed, field.member(owner));
    if (stored) continue;
    mistakes.push_back({.where = value->where,
                        .key = fmt::format("{}.{}", info.name, field.key),
                        .problem = std::move(stored.error()),
                        .allowed = field.allowed_text()});
  }
}

void find_unknown_keys(const Value& table, const SectionInfo& info, Mistakes& mistakes) {
  std::vector<std::string_view> known;
  for (const FieldInfo& field : info.fields) known.push_back(field.key);
  for (const auto& [key, value] : table.entries) {
    if (std::ranges::count(known, key) != 0) continue;
    mistakes.push_back({.where = value.where,
                        .key = fmt::format("{}.{}", info.name, key),
                        .problem = "is no setting",
                        .nearest = nearest(key, known)});
  }
}

void find_unknown_sections(const Value& root, const Sections& sections, Mistakes& mistakes) {
  std::vector<std::string_view> known;
  for (const SectionInfo& info : sections) known.push_back(info.name);
  for (const auto& [name, value] : root.entries) {
    if (std::ranges::count(known, name) != 0) continue;
    mistakes.push_back(
        {.where = value.where, .key = name, .problem = "is no section", .nearest = nearest(name, known)});
  }
}

// The tables of a section as it is written; with the wrong brackets around its name there are none.
std::vector<const Value*> tables_of(const Value& value, const SectionInfo& info, Mistakes& mistakes) {
  std::vector<const Value*> tables;
  if (info.repeated && value.kind == Value::Kind::list) {
    for (const Value& item : value.items) tables.push_back(&item);
  } else if (!info.repeated) {
    tables.push_back(&value);
  }
  const bool all_tables =
      std::ranges::all_of(tables, [](const Value* table) { return table->kind == Value::Kind::table; });
  if (all_tables && (!tables.empty() || value.kind == Value::Kind::list)) return tables;
  mistakes.push_back({.where = value.where,
                      .key = std::string{info.name},
                      .problem = "is not written as a section",
                      .allowed = fmt::format(fmt::runtime(info.repeated ? "[[{}]]" : "[{}]"), info.name)});
  return {};
}

std::string printed(const SectionInfo& info, const Settings& settings) {
  std::string text;
  for (const void* owner : info.entries(settings.find(info.name))) {
    for (const FieldInfo& field : info.fields) text += fmt::format("{} = {}, ", field.key, field.print(owner));
    text.resize(text.size() - 2);
    text += "; ";
  }
  return text.empty() ? "none" : text.substr(0, text.size() - 2);
}

bool all_live(const SectionInfo& info) {
  return std::ranges::all_of(info.fields, [](const FieldInfo& field) { return field.reload == Reload::live; });
}

}  // namespace

std::string FieldInfo::print(const void* owner) const { return codec->print(member(reading(owner)), allowed); }

std::string FieldInfo::allowed_text() const {
  if (allowed.empty()) return codec->kind();
  if (allowed == kNotEmpty) return codec->kind() + ", not empty";
  return codec->kind() + ", " + std::string{allowed};
}

const void* Settings::find(std::string_view section) const {
  const auto found = values_.find(section);
  MR_CHECK(found != values_.end());  // the composition root lists every section that it asks for
  return found->second.get();
}

void Settings::set(std::string_view section, std::shared_ptr<const void> value) {
  values_.insert_or_assign(std::string{section}, std::move(value));
}

void read_section(const Document& document, const SectionInfo& info, void* value, Mistakes& mistakes) {
  const Value* written = document.root().find(info.name);
  if (written == nullptr) return;
  for (const Value* table : tables_of(*written, info, mistakes)) {
    find_unknown_keys(*table, info, mistakes);
    if (!info.repeated) {
      read_entry(*table, info, value, mistakes);
      continue;
    }
    const auto entry = info.make_entry();
    read_entry(*table, info, entry.get(), mistakes);
    info.append(value, entry.get());
  }
}

std::expected<Settings, Mistakes> read_all(const Document& document, const Sections& sections) {
  Settings settings;
  Mistakes mistakes;
  find_unknown_sections(document.root(), sections, mistakes);
  for (const SectionInfo& info : sections) {
    auto value = info.make();
    read_section(document, info, value.get(), mistakes);
    settings.set(info.name, std::move(value));
  }
  if (mistakes.empty()) return settings;
  std::ranges::stable_sort(mistakes, {}, [](const Mistake& mistake) { return mistake.where.line; });
  return std::unexpected{std::move(mistakes)};
}

std::vector<Difference> differences(const Sections& sections, const Settings& before, const Settings& after) {
  std::vector<Difference> found;
  const auto add = [&found](std::string key, std::string old_text, std::string new_text, Reload reload) {
    if (old_text == new_text) return;
    found.push_back({std::move(key), std::move(old_text), std::move(new_text), reload});
  };
  for (const SectionInfo& info : sections) {
    if (info.repeated) {
      add(std::string{info.name}, printed(info, before), printed(info, after),
          all_live(info) ? Reload::live : Reload::restart);
      continue;
    }
    for (const FieldInfo& field : info.fields) {
      add(fmt::format("{}.{}", info.name, field.key), field.print(before.find(info.name)),
          field.print(after.find(info.name)), field.reload);
    }
  }
  return found;
}

Settings with_live(const Sections& sections, const Settings& before, const Settings& after) {
  Settings result;
  for (const SectionInfo& info : sections) {
    const auto take = [&info](const Settings& from, void* to, bool live_ones) {
      for (const FieldInfo& field : info.fields) {
        if ((field.reload == Reload::live) != live_ones) continue;
        field.codec->copy(field.member(reading(from.find(info.name))), field.member(to));
      }
    };
    auto value = info.make();
    if (info.repeated) {
      const Settings& source = all_live(info) ? after : before;
      for (const void* entry : info.entries(source.find(info.name))) info.append(value.get(), entry);
    } else {
      take(before, value.get(), false);
      take(after, value.get(), true);
    }
    result.set(info.name, std::move(value));
  }
  return result;
}

std::string nearest(std::string_view word, const std::vector<std::string_view>& known) {
  // A third of the letters wrong is another word, not a slip.
  std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
  std::string_view found;
  for (const std::string_view candidate : known) {
    const auto distance = edit_distance(word, candidate);
    if (distance < best) {
      best = distance;
      found = candidate;
    }
  }
  return std::string{found};
}

}  // namespace millrace::config
