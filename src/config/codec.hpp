#pragma once
// How one type of setting is read from a value and printed. A Codec works on the member through void*, so that all
// that walks settings (reading, printing, comparing) is written once in a .cpp; the templates here only convert.

#include <chrono>
#include <concepts>
#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/schema.hpp"
#include "config/value.hpp"

namespace millrace::config {

template <class T>
using Read = std::expected<T, std::string>;  // the error says what is wrong with the value

class Codec {
 public:
  virtual ~Codec() = default;
  // Stores into the member, or leaves it and says what is wrong.
  virtual Read<void> store(const Value& value, std::string_view allowed, void* member) const = 0;
  // As it reads in a file.
  [[nodiscard]] virtual std::string print(const void* member, std::string_view allowed) const = 0;
  [[nodiscard]] virtual std::string kind() const = 0;  // "a duration"
  // Whether `allowed` makes sense for the type; asked by the test of the declarations.
  [[nodiscard]] virtual bool understands(std::string_view allowed) const = 0;
  virtual void copy(const void* from, void* to) const = 0;
};

// Numbers of every unit are counted in the smallest one.
enum class Quantity : std::uint8_t { plain, nanoseconds, bytes };
struct NumberType {
  Quantity quantity = Quantity::plain;
  std::int64_t unit = 1;  // what a plain number counts: 1'000'000 for a milliseconds member
  std::int64_t lowest = 0, highest = 0;
};
Read<std::int64_t> read_number(const Value& value, std::string_view allowed, const NumberType& type);
std::string print_number(std::int64_t number, const NumberType& type);
std::string number_kind(const NumberType& type);
bool understands_numbers(std::string_view allowed, const NumberType& type);

Read<bool> read_boolean(const Value& value);
Read<std::string> read_text(const Value& value, std::string_view allowed);
Read<std::size_t> read_choice(const Value& value, std::string_view allowed);
std::string print_choice(std::size_t index, std::string_view allowed);
bool understands_choices(std::string_view allowed);
// The items of a list; "a,b" of a --set are two.
Read<std::vector<Value>> list_items(const Value& value);
std::string print_list(const std::vector<std::string>& items);

// One specialisation a family of types: read, print, kind, understands.
template <class T>
struct Convert;

template <class T>
class TypedCodec final : public Codec {
 public:
  Read<void> store(const Value& value, std::string_view allowed, void* member) const override {
    auto read = Convert<T>::read(value, allowed);
    if (!read) return std::unexpected{std::move(read.error())};
    *static_cast<T*>(member) = *std::move(read);
    return {};
  }
  [[nodiscard]] std::string print(const void* member, std::string_view allowed) const override {
    return Convert<T>::print(*static_cast<const T*>(member), allowed);
  }
  [[nodiscard]] std::string kind() const override { return Convert<T>::kind(); }
  [[nodiscard]] bool understands(std::string_view allowed) const override { return Convert<T>::understands(allowed); }
  void copy(const void* from, void* to) const override { *static_cast<T*>(to) = *static_cast<const T*>(from); }
};

template <class T>
const Codec& codec_of() {
  static const TypedCodec<T> codec;
  return codec;
}

template <>
struct Convert<bool> {
  static Read<bool> read(const Value& value, std::string_view) { return read_boolean(value); }
  static std::string print(bool value, std::string_view) { return value ? "true" : "false"; }
  static std::string kind() { return "true or false"; }
  static bool understands(std::string_view allowed) { return allowed.empty(); }
};

template <>
struct Convert<std::string> {
  static Read<std::string> read(const Value& value, std::string_view allowed) { return read_text(value, allowed); }
  static std::string print(const std::string& value, std::string_view) { return quote(value); }
  static std::string kind() { return "text"; }
  static bool understands(std::string_view allowed) { return allowed.empty() || understands_choices(allowed); }
};

// `Counted` says how a number of type T is counted.
template <class T, class Counted>
struct ConvertNumber {
  static Read<T> read(const Value& value, std::string_view allowed) {
    const auto number = read_number(value, allowed, Counted::type);
    if (!number) return std::unexpected{number.error()};
    return Counted::from(*number);
  }
  static std::string print(T value, std::string_view) { return print_number(Counted::count(value), Counted::type); }
  static std::string kind() { return number_kind(Counted::type); }
  static bool understands(std::string_view allowed) { return understands_numbers(allowed, Counted::type); }
};

inline constexpr std::int64_t kMostCounted = std::numeric_limits<std::int64_t>::max();

template <class T>
struct CountedInteger {
  using Limits = std::numeric_limits<T>;
  static constexpr NumberType type{.lowest = static_cast<std::int64_t>(Limits::min()),
                                   .highest = std::cmp_greater(Limits::max(), kMostCounted)
                                                  ? kMostCounted
                                                  : static_cast<std::int64_t>(Limits::max())};
  static T from(std::int64_t number) { return static_cast<T>(number); }
  static std::int64_t count(T value) { return static_cast<std::int64_t>(value); }
};

template <class Duration>
struct CountedDuration {
  static constexpr std::int64_t kUnit = std::chrono::nanoseconds{Duration{1}}.count();
  static constexpr NumberType type{
      .quantity = Quantity::nanoseconds, .unit = kUnit, .lowest = 0, .highest = kMostCounted};
  static Duration from(std::int64_t number) { return Duration{static_cast<typename Duration::rep>(number / kUnit)}; }
  static std::int64_t count(Duration value) { return std::chrono::nanoseconds{value}.count(); }
};

struct CountedBytes {
  static constexpr NumberType type{.quantity = Quantity::bytes, .unit = 1, .lowest = 0, .highest = kMostCounted};
  static Bytes from(std::int64_t number) { return {static_cast<std::uint64_t>(number)}; }
  static std::int64_t count(Bytes value) { return static_cast<std::int64_t>(value.count); }
};

template <std::integral T>
struct Convert<T> : ConvertNumber<T, CountedInteger<T>> {};
template <class Rep, class Period>
struct Convert<std::chrono::duration<Rep, Period>>
    : ConvertNumber<std::chrono::duration<Rep, Period>, CountedDuration<std::chrono::duration<Rep, Period>>> {};
template <>
struct Convert<Bytes> : ConvertNumber<Bytes, CountedBytes> {};

template <class T>
  requires std::is_enum_v<T>
struct Convert<T> {
  static Read<T> read(const Value& value, std::string_view allowed) {
    const auto index = read_choice(value, allowed);
    if (!index) return std::unexpected{index.error()};
    return static_cast<T>(*index);
  }
  static std::string print(T value, std::string_view allowed) {
    return print_choice(static_cast<std::size_t>(std::to_underlying(value)), allowed);
  }
  static std::string kind() { return "a word"; }
  static bool understands(std::string_view allowed) { return understands_choices(allowed); }
};

template <class T>
concept HasText = requires(std::string_view text, const T& value) {
  { Text<T>::parse(text) } -> std::same_as<std::expected<T, std::string>>;
  { Text<T>::print(value) } -> std::same_as<std::string>;
};

template <HasText T>
struct Convert<T> {
  static Read<T> read(const Value& value, std::string_view) {
    const auto text = read_text(value, {});
    if (!text) return std::unexpected{text.error()};
    return Text<T>::parse(*text);
  }
  static std::string print(const T& value, std::string_view) { return quote(Text<T>::print(value)); }
  static std::string kind() { return std::string{Text<T>::kind}; }
  static bool understands(std::string_view allowed) { return allowed.empty(); }
};

// Empty text is nothing.
template <HasText T>
struct Convert<std::optional<T>> {
  static Read<std::optional<T>> read(const Value& value, std::string_view) {
    const auto text = read_text(value, {});
    if (!text) return std::unexpected{text.error()};
    if (text->empty()) return std::nullopt;
    return Text<T>::parse(*text);
  }
  static std::string print(const std::optional<T>& value, std::string_view) {
    return quote(value ? Text<T>::print(*value) : std::string{});
  }
  static std::string kind() { return std::string{Text<T>::kind} + ", or empty"; }
  static bool understands(std::string_view allowed) { return allowed.empty(); }
};

template <class T>
struct Convert<std::vector<T>> {
  static Read<std::vector<T>> read(const Value& value, std::string_view allowed) {
    const auto items = list_items(value);
    if (!items) return std::unexpected{items.error()};
    std::vector<T> list;
    for (const Value& item : *items) {
      auto read = Convert<T>::read(item, allowed);
      if (!read) return std::unexpected{std::move(read.error())};
      list.push_back(*std::move(read));
    }
    return list;
  }
  static std::string print(const std::vector<T>& list, std::string_view allowed) {
    std::vector<std::string> items;
    for (const T& item : list) items.push_back(Convert<T>::print(item, allowed));
    return print_list(items);
  }
  static std::string kind() { return "a list, each " + Convert<T>::kind(); }
  static bool understands(std::string_view allowed) { return Convert<T>::understands(allowed); }
};

}  // namespace millrace::config
