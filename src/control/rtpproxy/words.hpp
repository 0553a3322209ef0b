#pragma once
// Cuts a request into words. Pure; every word is a view into the request, so the request must outlive them.
//
//   COOKIE SP COMMAND                         a datagram; streams carry the command alone
//   Uc0,8 CALLID ADDR PORT FROM && S ttl=7    the main words, then parts behind words of exactly `&&`

#include <cstddef>
#include <expected>
#include <string_view>
#include <vector>

#include "base/static_vector.hpp"
#include "control/frontend.hpp"
#include "control/rtpproxy/error_code.hpp"

namespace millrace::control::rtpproxy {

inline constexpr std::size_t kMaxWords = 23;  // of the main command, and of each part
inline constexpr std::size_t kMaxParts = 15;
inline constexpr std::string_view kSeparators = " \t\r\n";

using Words = StaticVector<std::string_view, kMaxWords>;

struct Line {
  Words main;  // neither this nor a part is ever empty
  std::vector<Words> parts;
};

// A lone word is a cookie whose command is missing; without any word there is no cookie either.
[[nodiscard]] Split split_cookie(std::string_view datagram);
[[nodiscard]] std::expected<Line, ErrorCode> split_words(std::string_view body);

}  // namespace millrace::control::rtpproxy
