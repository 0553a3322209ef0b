#pragma once
// Randomness that a seed replays exactly, also on another standard library: the distributions are ours. The seeds of
// a run are 1, 2, 3, …; MILLRACE_SEED=N runs that one alone.

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string_view>
#include <vector>

#include "base/parse.hpp"

namespace millrace::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_{seed} {}
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low + 1)));
  }
  [[nodiscard]] bool chance(double probability) {
    constexpr std::uint64_t kSteps = 1'000'000;
    return static_cast<double>(below(kSteps)) < probability * static_cast<double>(kSteps);
  }

 private:
  std::mt19937_64 engine_;
};

inline std::vector<std::uint64_t> seeds(std::uint64_t count) {
  if (const char* text = std::getenv("MILLRACE_SEED")) {
    if (const auto seed = parse_number<std::uint64_t>(std::string_view{text})) return {*seed};
  }
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = 1; seed <= count; ++seed) all.push_back(seed);
  return all;
}

}  // namespace millrace::sim
