#pragma once
// What `V` and `VF` answer, and what the drop-in's `-v` lists.

#include <span>
#include <string_view>

namespace millrace::control::rtpproxy {

inline constexpr std::string_view kBaseVersion = "20040107";  // both SIP servers refuse any other

struct Feature {
  std::string_view date;
  std::string_view promise;
};

// Oldest first. The one of notifications is in the list; whether it is answered depends on the targets allowed.
[[nodiscard]] std::span<const Feature> features();
[[nodiscard]] bool has_feature(std::string_view date, bool notifications);

}  // namespace millrace::control::rtpproxy
