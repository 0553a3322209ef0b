#pragma once
// What a run has to say: one list of figures, printed as a table for people and written as JSON for programs, so that
// the two never differ.

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <variant>
#include <vector>

#include "mrload/histogram.hpp"

namespace millrace::mrload {

using Value = std::variant<std::uint64_t, double, std::string>;

class Report {
 public:
  explicit Report(std::string mode) : mode_{std::move(mode)} {}

  // `key` ends in its unit; `label` and `note` are for people.
  struct Figure {
    std::string key, label;
    Value value;
    std::string unit;
    std::string note;
  };
  void condition(std::string key, Value value) { conditions_.emplace_back(std::move(key), std::move(value)); }
  void add(Figure figure) { figures_.push_back(std::move(figure)); }
  // key_p50_us ... key_max_us; `less` is taken off each (what the path without a relay costs), never below zero.
  void add_delays(const std::string& key, const std::string& label, const Histogram& delays,
                  std::chrono::nanoseconds less = {});

  [[nodiscard]] std::string table() const;
  [[nodiscard]] std::string json() const;
  // Table to standard output; JSON to `json_file` unless that is empty.
  [[nodiscard]] std::expected<void, std::string> publish(const std::string& json_file) const;

 private:
  std::string mode_;
  std::vector<std::pair<std::string, Value>> conditions_;
  std::vector<Figure> figures_;
};

}  // namespace millrace::mrload
