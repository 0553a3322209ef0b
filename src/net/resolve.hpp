#pragma once
// Host names to addresses. Blocks on the resolver: for the start of a program only.

#include <expected>
#include <string_view>

#include "base/error.hpp"
#include "net/endpoint.hpp"

namespace millrace::net {

// The first address of that family; a literal address needs no resolver.
std::expected<Address, SysError> resolve(std::string_view host, Family family);

}  // namespace millrace::net
