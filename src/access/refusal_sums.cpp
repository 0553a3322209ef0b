#include "access/refusal_sums.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "net/endpoint.hpp"

namespace millrace::access {
namespace {

// An IPv6 host has a /64 of addresses to itself, RFC 4291 §2.5.1.
constexpr std::size_t kNetworkBytes = 8;

// Behind a bracket are addresses, which no protocol's name begins with.
std::string who(const AuditEntry& entry) {
  if (!entry.identity.empty()) return fmt::format("{} {}", entry.protocol, entry.identity);
  const auto endpoint = net::Endpoint::parse(entry.peer);
  if (!endpoint) return fmt::format("[{}]", entry.peer.substr(0, entry.peer.rfind(':')));
  if (!endpoint->address.is_ipv6()) return fmt::format("[{}]", endpoint->address.to_string());
  const auto bytes = endpoint->address.bytes();
  return "[" + std::string{bytes.begin(), bytes.begin() + kNetworkBytes};
}

}  // namespace

bool RefusalSums::take(const AuditEntry& entry, TimePoint now, WallTime at) {
  auto name = who(entry);
  if (by_who_.size() >= kMaxRefused && !by_who_.contains(name)) name = "everybody else";
  auto& refused = by_who_[name];
  const auto full_at = std::max(refused.full_at, now) + kRefusalEvery;
  if (full_at - now <= kRefusalBurst * kRefusalEvery) {
    refused.full_at = full_at;
    return true;
  }
  if (refused.more++ == 0) {
    refused.since = now;
    refused.first.emplace_back(entry, at);
  }
  return false;
}

std::vector<AuditRecord> RefusalSums::due(TimePoint now, WallTime at, bool at_the_end) {
  std::vector<AuditRecord> sums;
  for (auto& [name, refused] : by_who_) {
    if (refused.more == 0 || (!at_the_end && now - refused.since < kSumEvery)) continue;
    auto& sum = sums.emplace_back(std::move(refused.first.front()));
    sum.at = at;
    sum.reason = fmt::format("{} more like this one: {}", refused.more, sum.reason);
    refused.first.clear();
    refused.more = 0;
  }
  absl::erase_if(by_who_, [now](const auto& each) { return each.second.more == 0 && each.second.full_at <= now; });
  return sums;
}

}  // namespace millrace::access
