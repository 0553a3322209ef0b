#pragma once
// What usually goes wrong on a media host, each with how to mend it. Pure: judges facts, looks at nothing itself.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/admin/host_facts.hpp"
#include "control/node.hpp"

namespace millrace::control::admin {

enum class Severity : std::uint8_t { fine, advice, problem };
std::string_view name_of(Severity severity);

struct Finding {
  Severity severity = Severity::fine;
  std::string check;  // "descriptors"
  std::string says;   // one sentence: what is
  std::string mend;   // what to type or to change; empty when fine
};

std::vector<Finding> examine(const NodeFacts& node, const HostFacts& host);

}  // namespace millrace::control::admin
