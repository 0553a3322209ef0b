#pragma once
// Host names. Blocks: for the start of the program only.

#include <expected>
#include <string>

#include "base/error.hpp"
#include "net/endpoint.hpp"

namespace millrace::net {

// Takes an address as it is; the first address of a name. Family::none: of either family.
std::expected<Address, SysError> resolve(const std::string& host, Family family);

}  // namespace millrace::net
