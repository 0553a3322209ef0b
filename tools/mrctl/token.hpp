#pragma once
// A new bearer token, and the lines of the settings file that make it known. The daemon is not asked: it knows tokens
// by their SHA-256 alone, and so does its file.

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace millrace::mrctl {

inline constexpr std::size_t kTokenBytes = 32;  // as much as its SHA-256 keeps

// 32 random bytes as base64url (RFC 4648 §5, without padding): 43 characters that need no quoting anywhere.
std::expected<std::string, std::string> draw_token();

std::string base64url(std::span<const std::byte> bytes);
std::string sha256_hex(std::string_view text);

// "[[identity]]" and its keys. The error says what is wrong with the name.
std::expected<std::string, std::string> identity_lines(std::string_view name, std::string_view role,
                                                       std::string_view token);

// `mrctl token NAME [ROLE]`: prints both; the exit status. The token goes to standard output once, nowhere else.
int run_token(const std::string& name, const std::string& role);

}  // namespace millrace::mrctl
