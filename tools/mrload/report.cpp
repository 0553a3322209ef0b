#include "mrload/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/src.hpp>   // the whole of Boost.JSON, once: Debian's package would be one more to install
#include <cmath>
#include <cstdio>
#include <fstream>

#include "base/version.hpp"

namespace millrace::mrload {
namespace {

// 1234567 -> "1,234,567"
std::string grouped(std::uint64_t number) {
  if (number < 1'000) return std::to_string(number);
  return fmt::format("{},{:03}", grouped(number / 1'000), number % 1'000);
}

std::string text_of(const Value& value) {
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return grouped(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const double number = std::get<double>(value);
  if (std::abs(number) >= 10'000) return grouped(static_cast<std::uint64_t>(std::llround(number)));
  return fmt::format("{:.{}f}", number, std::abs(number) >= 100 ? 1 : 2);
}

boost::json::value json_of(const Value& value) {
  return std::visit([](const auto& it) { return boost::json::value(it); }, value);
}

}  // namespace

void Report::add_delays(const std::string& key, const std::string& label, const Histogram& delays,
                        std::chrono::nanoseconds less) {
  struct Point {
    std::string_view name;
    double fraction;
  };
  constexpr std::array kPoints{Point{"p50", 0.5}, Point{"p90", 0.9}, Point{"p99", 0.99}, Point{"p99.9", 0.999},
                               Point{"max", 1}};
  for (const auto& [name, fraction] : kPoints) {
    const auto time = std::max(delays.percentile(fraction) - less, std::chrono::nanoseconds{0});
    auto figure_key = fmt::format("{}_{}_us", key, name);
    std::ranges::replace(figure_key, '.', '_');
    add({figure_key, fmt::format("{} {}", label, name), static_cast<double>(time.count()) / 1e3, "us", ""});
  }
}

std::string Report::table() const {
  std::string text = fmt::format("mrload {}\n", mode_);
  for (const auto& [key, value] : conditions_) {
    const auto* plain = std::get_if<std::uint64_t>(&value);   // ports and CPU numbers are names, not amounts
    text += fmt::format("  {:<24} {}\n", key, plain != nullptr ? std::to_string(*plain) : text_of(value));
  }
  text += "\n";
  for (const Figure& figure : figures_) {
    auto line = fmt::format("  {:<34} {:>14} {:<4} {}", figure.label, text_of(figure.value), figure.unit, figure.note);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string Report::json() const {
  boost::json::object conditions, figures;
  for (const auto& [key, value] : conditions_) conditions[key] = json_of(value);
  for (const Figure& figure : figures_) figures[figure.key] = json_of(figure.value);
  const boost::json::object whole{
      {"tool", "mrload"}, {"version", kVersion}, {"mode", mode_}, {"conditions", conditions}, {"figures", figures}};
  return boost::json::serialize(whole) + "\n";
}

std::expected<void, std::string> Report::publish(const std::string& json_file) const {
  std::fputs(table().c_str(), stdout);
  std::fflush(stdout);
  if (json_file.empty()) return {};
  std::ofstream file{json_file};
  file << json();
  file.close();
  if (!file) return std::unexpected{fmt::format("cannot write the figures to {}", json_file)};
  return {};
}

}  // namespace millrace::mrload
