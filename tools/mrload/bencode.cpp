#include "mrload/bencode.hpp"

#include <cstdint>

#include "base/parse.hpp"

namespace millrace::mrload::bencode {
namespace {

std::string string(std::string_view value) { return std::to_string(value.size()) + ":" + std::string{value}; }

// A cursor that remembers its first mistake.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_{text} {}
  [[nodiscard]] bool ok() const { return ok_; }

  bool accept(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  [[nodiscard]] bool at_string() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }

  std::string_view string() {
    const auto size = parse_number<std::uint32_t>(until(':'));
    if (!ok_ || !size || *size > rest_.size()) return fail();
    const auto value = rest_.substr(0, *size);
    rest_.remove_prefix(*size);
    return value;
  }

  void skip(int depth) {
    if (depth > kMaxDepth) return void(fail());
    if (at_string()) return void(string());
    if (accept('i')) {
      if (!parse_number<std::int64_t>(until('e'))) fail();
      return;
    }
    const bool dictionary = accept('d');
    if (!dictionary && !accept('l')) return void(fail());
    while (ok_ && !accept('e')) {
      if (dictionary) string();
      if (ok_) skip(depth + 1);
    }
  }

 private:
  std::string_view fail() {
    ok_ = false;
    rest_ = {};
    return {};
  }
  std::string_view until(char end) {
    const auto length = rest_.find(end);
    if (length == std::string_view::npos) return fail();
    const auto text = rest_.substr(0, length);
    rest_.remove_prefix(length + 1);
    return text;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

Dictionary& Dictionary::add(std::string_view key, std::string_view value) {
  body_ += string(key) + string(value);
  return *this;
}

Dictionary& Dictionary::add_list(std::string_view key, const std::vector<std::string_view>& list) {
  body_ += string(key) + "l";
  for (const auto item : list) body_ += string(item);
  body_ += "e";
  return *this;
}

std::optional<Strings> top_level_strings(std::string_view text) {
  Reader in{text};
  if (!in.accept('d')) return std::nullopt;
  Strings strings;
  while (in.ok() && !in.accept('e')) {
    const auto key = in.string();
    if (in.ok() && in.at_string()) {
      strings.emplace_back(key, in.string());
    } else if (in.ok()) {
      in.skip(1);
    }
  }
  if (!in.ok()) return std::nullopt;
  return strings;
}

std::string_view find(const Strings& strings, std::string_view key) {
  for (const auto& [name, value] : strings) {
    if (name == key) return value;
  }
  return {};
}

}  // namespace millrace::mrload::bencode
