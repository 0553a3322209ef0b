#pragma once
// What reflection tells: the services of this server, and the files that describe them. Pure.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "control/grpc/problem.hpp"

namespace millrace::control::grpc {

[[nodiscard]] std::vector<std::string> reflected_services();

// Serialized FileDescriptorProtos: the file asked for first, then everything that it needs.
using DescribedFiles = std::vector<std::string>;
[[nodiscard]] std::expected<DescribedFiles, Problem> file_by_name(const std::string& name);
[[nodiscard]] std::expected<DescribedFiles, Problem> file_containing(const std::string& symbol);
[[nodiscard]] std::expected<DescribedFiles, Problem> file_with_extension(const std::string& type, int number);
[[nodiscard]] std::expected<std::vector<int>, Problem> extension_numbers(const std::string& type);

}  // namespace millrace::control::grpc
