#include "config/codec.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "base/check.hpp"
#include "base/parse.hpp"

namespace millrace::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t size;
};
constexpr std::array kDurations{Unit{"d", 86'400'000'000'000},
                                Unit{"h", 3'600'000'000'000},
                                Unit{"m", 60'000'000'000},
                                Unit{"s", 1'000'000'000},
                                Unit{"ms", 1'000'000},
                                Unit{"us", 1'000},
                                Unit{"ns", 1}};
constexpr std::array kSizes{Unit{"GiB", 1 << 30}, Unit{"MiB", 1 << 20}, Unit{"KiB", 1 << 10}, Unit{"B", 1}};

std::span<const Unit> units_of(Quantity quantity) {
  switch (quantity) {
    case Quantity::nanoseconds: return kDurations;
    case Quantity::bytes: return kSizes;
    case Quantity::plain: break;
  }
  return {};
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<std::int64_t> times(std::int64_t number, std::int64_t unit) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(number, unit, &product)) return std::nullopt;
  return product;
}

// "60", "60s", "64KiB", and "1h30m" as the sum of its parts.
std::optional<std::int64_t> parse_quantity(std::string_view text, const NumberType& type) {
  if (const auto plain = parse_number<std::int64_t>(text)) return times(*plain, type.unit);
  std::int64_t sum = 0;
  do {
    const auto digits = text.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos) return std::nullopt;
    const auto name_end = text.find_first_of("0123456789", digits);
    const auto name = text.substr(digits, name_end == std::string_view::npos ? name_end : name_end - digits);
    const auto number = parse_number<std::int64_t>(text.substr(0, digits));
    const auto units = units_of(type.quantity);
    const auto unit = std::ranges::find(units, name, &Unit::name);
    if (!number || unit == units.end()) return std::nullopt;
    const auto part = times(*number, unit->size);
    if (!part || __builtin_add_overflow(sum, *part, &sum)) return std::nullopt;
    text.remove_prefix(name_end == std::string_view::npos ? text.size() : name_end);
  } while (!text.empty());
  return sum;
}

struct Range {
  std::int64_t first, last;
};

std::optional<Range> parse_range(std::string_view text, const NumberType& type) {
  const auto dots = text.find("..");
  if (dots == std::string_view::npos) {
    const auto value = parse_quantity(text, type);
    return value ? std::optional{Range{*value, *value}} : std::nullopt;
  }
  const auto first = text.substr(0, dots);
  const auto last = text.substr(dots + 2);
  const auto low = first.empty() ? type.lowest : parse_quantity(first, type);
  const auto high = last.empty() ? type.highest : parse_quantity(last, type);
  if (!low || !high || *low > *high || *low < type.lowest || *high > type.highest) return std::nullopt;
  return Range{*low, *high};
}

bool allows(std::string_view allowed, std::int64_t number, const NumberType& type) {
  if (allowed.empty()) return number >= type.lowest && number <= type.highest;
  return std::ranges::any_of(split(allowed, '|'), [&](std::string_view alternative) {
    const auto range = parse_range(alternative, type);
    MR_CHECK(range.has_value());  // declaration_faults() names it first
    return number >= range->first && number <= range->last;
  });
}

std::string what_it_is(const Value& value) {
  switch (value.kind) {
    case Value::Kind::list: return value.to_toml() + " is a list";
    case Value::Kind::table: return "a table is written here";
    case Value::Kind::text: return value.to_toml() + " is text";
    default: return value.to_toml() + " does not fit";
  }
}

}  // namespace

Read<std::int64_t> read_number(const Value& value, std::string_view allowed, const NumberType& type) {
  // In a file a plain integer is written without quotes, a quantity with a unit in them.
  const bool readable =
      value.kind == Value::Kind::bare || (value.kind == Value::Kind::text && type.quantity != Quantity::plain);
  std::optional<std::int64_t> number;
  if (value.kind == Value::Kind::integer) {
    number = times(value.integer, type.unit);
  } else if (readable) {
    number = parse_quantity(value.text, type);
    if (!number) return std::unexpected{fmt::format("{} is not {}", value.to_toml(), number_kind(type))};
  } else {
    return std::unexpected{what_it_is(value)};
  }
  if (!number || !allows(allowed, *number, type)) return std::unexpected{value.to_toml() + " is out of range"};
  if (*number % type.unit != 0) {
    return std::unexpected{fmt::format("{} is finer than {}", value.to_toml(), print_number(type.unit, type))};
  }
  return *number;
}

std::string print_number(std::int64_t number, const NumberType& type) {
  if (type.quantity == Quantity::plain) return std::to_string(number);
  if (number == 0) return type.quantity == Quantity::bytes ? "0" : "\"0s\"";
  const auto units = units_of(type.quantity);
  const auto unit = std::ranges::find_if(units, [number](const Unit& u) { return number % u.size == 0; });
  return fmt::format("\"{}{}\"", number / unit->size, unit->name);
}

std::string number_kind(const NumberType& type) {
  switch (type.quantity) {
    case Quantity::nanoseconds: return "a duration";
    case Quantity::bytes: return "a size";
    case Quantity::plain: break;
  }
  return "a whole number";
}

bool understands_numbers(std::string_view allowed, const NumberType& type) {
  return allowed.empty() || std::ranges::all_of(split(allowed, '|'), [&type](std::string_view alternative) {
           return parse_range(alternative, type).has_value();
         });
}

Read<bool> read_boolean(const Value& value) {
  if (value.kind == Value::Kind::boolean) return value.boolean;
  if (value.kind == Value::Kind::bare && value.text == "true") return true;
  if (value.kind == Value::Kind::bare && value.text == "false") return false;
  return std::unexpected{what_it_is(value)};
}

Read<std::string> read_text(const Value& value, std::string_view allowed) {
  if (!value.is_text()) return std::unexpected{what_it_is(value)};
  if (allowed == kNotEmpty) {
    if (value.text.empty()) return std::unexpected{std::string{"is empty"}};
  } else if (!allowed.empty() && std::ranges::count(split(allowed, '|'), value.text) == 0) {
    return std::unexpected{value.to_toml() + " is none of them"};
  }
  return value.text;
}

Read<std::size_t> read_choice(const Value& value, std::string_view allowed) {
  if (!value.is_text()) return std::unexpected{what_it_is(value)};
  const auto names = split(allowed, '|');
  const auto found = std::ranges::find(names, value.text);
  if (found == names.end()) return std::unexpected{value.to_toml() + " is none of them"};
  return static_cast<std::size_t>(found - names.begin());
}

std::string print_choice(std::size_t index, std::string_view allowed) {
  const auto names = split(allowed, '|');
  return index < names.size() ? quote(names[index]) : std::to_string(index);
}

bool understands_choices(std::string_view allowed) {
  const auto names = split(allowed, '|');
  return std::ranges::none_of(
      names, [&names](std::string_view name) { return name.empty() || std::ranges::count(names, name) != 1; });
}

Read<std::vector<Value>> list_items(const Value& value) {
  if (value.kind == Value::Kind::list) return value.items;
  if (value.kind != Value::Kind::bare) return std::unexpected{value.to_toml() + " is no list"};
  std::vector<Value> items;
  if (trimmed(value.text).empty()) return items;
  for (const auto part : split(value.text, ',')) {
    Value item{.kind = Value::Kind::bare, .text = std::string{trimmed(part)}, .where = value.where};
    items.push_back(std::move(item));
  }
  return items;
}

std::string print_list(const std::vector<std::string>& items) { return fmt::format("[{}]", fmt::join(items, ", ")); }

}  // namespace millrace::config
