#include "config/manual.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace millrace::config {
namespace {

// A '|' would end the cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string heading(const SectionInfo& info) {
  return info.repeated ? fmt::format("[[{}]]", info.name) : fmt::format("[{}]", info.name);
}

void check_field(const SectionInfo& info, const FieldInfo& field, std::vector<std::string>& faults) {
  const auto fault = [&](std::string_view problem) {
    faults.push_back(fmt::format("{}.{}: {}", info.name, field.key, problem));
  };
  const auto is_key_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (field.key.empty() || !std::ranges::all_of(field.key, is_key_letter)) fault("the key is not snake_case");
  if (field.help.empty()) fault("has no help");
  if (field.help.ends_with('.')) fault("the help ends with a full stop; the page adds it");
  if (!field.codec->understands(field.allowed)) fault(fmt::format("cannot understand '{}'", field.allowed));
}

// The default goes the way of a value from a file: print, parse, check.
void check_default(const SectionInfo& info, const FieldInfo& field, std::vector<std::string>& faults) {
  const auto owner = info.make_entry();
  const auto written = field.print(owner.get());
  const auto refuse = [&](std::string_view problem) {
    faults.push_back(fmt::format("{}.{}: the default {}: {}", info.name, field.key, written, problem));
  };
  const auto document = Document::from_text(fmt::format("value = {}\n", written), "default");
  if (!document) return refuse(document.error().problem);
  const auto stored = field.codec->store(*document->root().find("value"), field.allowed, field.member(owner.get()));
  if (!stored) return refuse(stored.error());
  if (field.print(owner.get()) != written) refuse("reads back as " + field.print(owner.get()));
}

}  // namespace

std::string reference_page(const Sections& sections) {
  std::string page =
      "# Settings\n\n"
      "Written from the declarations in the source; `millrace settings-reference` prints this page.\n"
      "Each setting goes into the file of `--config FILE` (TOML), or on the command line as `--set "
      "section.key=value`;\n"
      "the last `--set` wins. \"Live\" settings change on SIGHUP while calls run, the others at the next start.\n";
  for (const SectionInfo& info : sections) {
    page += fmt::format("\n## `{}`\n\n", heading(info));
    if (!info.about.empty()) page += fmt::format("{}{}\n\n", info.about, info.about.ends_with('.') ? "" : ".");
    page += "| key | default | allowed | live | what it does |\n| --- | --- | --- | --- | --- |\n";
    const auto owner = info.make_entry();
    for (const FieldInfo& field : info.fields) {
      page += fmt::format("| `{}` | `{}` | {} | {} | {}. |\n", field.key, cell(field.print(owner.get())),
                          cell(field.allowed_text()), field.reload == Reload::live ? "yes" : "no", cell(field.help));
    }
  }
  return page;
}

std::string help_text(const Sections& sections) {
  std::size_t width = 0;
  for (const SectionInfo& info : sections) {
    for (const FieldInfo& field : info.fields) width = std::max(width, info.name.size() + field.key.size() + 1);
  }
  std::string text;
  for (const SectionInfo& info : sections) {
    const auto owner = info.make_entry();
    for (const FieldInfo& field : info.fields) {
      text += fmt::format("  {:<{}}  {} ({}; default {})\n", fmt::format("{}.{}", info.name, field.key), width,
                          field.help, field.allowed_text(), field.print(owner.get()));
    }
  }
  return text;
}

std::string effective(const Sections& sections, const Settings& settings) {
  std::string text;
  for (const SectionInfo& info : sections) {
    for (const void* owner : info.entries(settings.find(info.name))) {
      if (!text.empty()) text += '\n';
      text += heading(info) + "\n";
      for (const FieldInfo& field : info.fields) text += fmt::format("{} = {}\n", field.key, field.print(owner));
    }
  }
  return text;
}

std::vector<std::string> declaration_faults(const Sections& sections) {
  std::vector<std::string> faults;
  std::set<std::string> names;
  const auto once = [&](const std::string& name) {
    if (!names.insert(name).second) faults.push_back(name + ": declared twice");
  };
  for (const SectionInfo& info : sections) {
    once(std::string{info.name});
    for (const FieldInfo& field : info.fields) {
      once(fmt::format("{}.{}", info.name, field.key));
      check_field(info, field, faults);
      if (field.codec->understands(field.allowed)) check_default(info, field, faults);
    }
  }
  return faults;
}

}  // namespace millrace::config
