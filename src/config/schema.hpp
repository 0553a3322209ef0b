#pragma once
// How a folder declares its settings: once, one line each, beside the code that they steer. From this declaration
// come reading, --set, --help, the reference page and the effective configuration. Only declarations are here, so
// that a settings.hpp costs next to nothing to include; reading is in config/read.hpp.
//
//   struct Settings {
//     std::chrono::milliseconds min_tone{40};
//     static constexpr auto schema = config::section("dtmf",
//         config::field("min_tone", &Settings::min_tone, "10ms..500ms", "Shortest tone that is reported"));
//   };
//
// A member may be: bool, an integer, std::string, an enum, a chrono duration, config::Bytes, a type with a
// config::Text of its own (or a std::optional of it: empty text is nothing), or a std::vector of these. The default
// is the member's initializer.
//
// `allowed` are alternatives between '|', each one value or a range with open or closed ends; empty: all that the
// type holds. Of a list it speaks of each item.
//   integer, duration, Bytes   "1..65535"   "0s|100ms..1h"   "16.."   "..64KiB"
//   string                     "random|sequential": one of these words;  ".+": anything but nothing
//   enum                       "safe|reference|strict": the names of 0, 1, 2, …

#include <compare>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <vector>

namespace millrace::config {

// What SIGHUP does with a changed value.
enum class Reload : std::uint8_t { restart, live };
inline constexpr Reload live = Reload::live;

// A size. Written "256KiB", "1MiB", or as a plain number of bytes.
struct Bytes {
  std::uint64_t count = 0;
  friend constexpr auto operator<=>(Bytes, Bytes) = default;
};

// Specialise it for a type of a folder's own that has one text form:
//   static std::expected<T, std::string> parse(std::string_view);   // the error says what is wrong with the text
//   static std::string print(const T&);
//   static constexpr std::string_view kind = "a port range such as 10000-19998";
template <class T>
struct Text;

inline constexpr std::string_view kNotEmpty = ".+";  // of a string: anything but nothing

template <class Owner, class Member>
struct Field {
  std::string_view key;
  Member Owner::* member;
  std::string_view allowed;
  std::string_view help;
  Reload reload;
};

// `Value` is Owner, or std::vector<Owner> of a section that may come any number of times.
template <class Owner, class Value, class... Members>
struct Section {
  using owner_type = Owner;
  using value_type = Value;
  std::string_view name;
  std::string_view about;
  std::tuple<Field<Owner, Members>...> fields;
};

template <class Owner, class Member>
constexpr Field<Owner, Member> field(std::string_view key, Member Owner::* member, std::string_view allowed,
                                     std::string_view help, Reload reload = Reload::restart) {
  return {key, member, allowed, help, reload};
}

// `[name]` in the file. `about` is the sentence that the reference page puts under the heading.
template <class Owner, class... Members>
constexpr Section<Owner, Owner, Members...> section(std::string_view name, std::string_view about,
                                                    Field<Owner, Members>... fields) {
  return {name, about, {fields...}};
}
template <class Owner, class... Members>
constexpr Section<Owner, Owner, Members...> section(std::string_view name, Field<Owner, Members>... fields) {
  return {name, {}, {fields...}};
}

// `[[name]]` in the file, any number of times; read as a std::vector<Owner>.
template <class Owner, class... Members>
constexpr Section<Owner, std::vector<Owner>, Members...> repeated(std::string_view name, std::string_view about,
                                                                  Field<Owner, Members>... fields) {
  return {name, about, {fields...}};
}

}  // namespace millrace::config
