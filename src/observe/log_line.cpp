#include "observe/log_line.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace millrace::observe {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 5> kNames{"DEBUG", "INFO", "WARN", "ERROR", "CRIT"};
constexpr std::array<std::string_view, 5> kReferenceNames{"DBUG", "INFO", "WARN", "ERR", "CRIT"};

std::string date_text(WallTime time) {
  const year_month_day date{floor<days>(time)};
  return fmt::format("{:04}-{:02}-{:02}T{}Z", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock_text(time));
}

std::string relative_text(Nanoseconds passed) {
  const hh_mm_ss<milliseconds> parts{floor<milliseconds>(std::max(passed, Nanoseconds::zero()))};
  return fmt::format("{:02}:{:02}:{:02}.{:03}/", parts.hours().count(), parts.minutes().count(),
                     parts.seconds().count(), parts.subseconds().count());
}

std::string escape(char c) {
  switch (c) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: return fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
}

}  // namespace

std::string render(const LogLine& line, const LineStyle& style) {
  const auto level = std::to_underlying(line.level);
  if (style.format == LineFormat::rtpproxy) {
    const auto time =
        style.with_time && style.relative_to ? relative_text(line.time - *style.relative_to) : std::string{};
    return fmt::format("{}{}:{}:{}:{}: {}", time, kReferenceNames[level], line.call.empty() ? "GLOBAL" : line.call,
                       bare_function(line.function), line.line, line.text);
  }
  const auto call = line.call.empty() ? std::string{} : fmt::format("[{}] ", line.call);
  if (!style.with_time) return fmt::format("{}{}", call, line.text);
  return fmt::format("{} {:<5} {}{}", date_text(line.time), kNames[level], call, line.text);
}

std::string escaped(std::string_view text, std::size_t limit) {
  constexpr std::string_view kCut = "...";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const auto piece = byte < 0x20 || byte == 0x7f ? escape(c) : std::string(1, c);
    if (out.size() + piece.size() > limit) {
      out.resize(std::min(out.size(), limit - kCut.size()));
      return out.append(kCut);
    }
    out += piece;
  }
  return out;
}

std::string_view bare_function(std::string_view signature) {
  // Up to its arguments; a lambda is named by the function that it stands in.
  constexpr std::string_view kAnonymous = "(anonymous namespace)";
  auto arguments = signature.find('(');
  while (arguments != std::string_view::npos && signature.substr(arguments).starts_with(kAnonymous)) {
    arguments = signature.find('(', arguments + kAnonymous.size());
  }
  const auto name = signature.substr(0, arguments);
  const auto start = name.find_last_of(" :*&");
  return start == std::string_view::npos ? name : name.substr(start + 1);
}

}  // namespace millrace::observe
