#include "control/rtpproxy/guard.hpp"

#include <utility>

#include "access/peer_name.hpp"
#include "control/rtpproxy/words.hpp"

namespace millrace::control::rtpproxy {
namespace {

constexpr std::string_view kChanging = "ULDXPSRCN";
constexpr std::string_view kAsking = "QIVG";

// The capital letter of a command or part; '?': there is no such command.
char letter_of(const Words& words) {
  const char first = words[0][0];
  const char letter = first >= 'a' && first <= 'z' ? static_cast<char>(first - 'a' + 'A') : first;
  return kChanging.contains(letter) || kAsking.contains(letter) ? letter : '?';
}

}  // namespace

Described describe(std::string_view body) {
  const auto line = split_words(body);
  if (!line) return {.command = "?", .call_id = {}, .changes = false};
  Described described{.command = {letter_of(line->main)}, .call_id = {}, .changes = !line->parts.empty()};
  if (kChanging.contains(described.command[0])) described.changes = true;
  if (line->main.size() > 1) described.call_id = line->main[1];
  for (const auto& part : line->parts) {
    described.command += " && ";
    described.command += letter_of(part);
  }
  return described;
}

Guard guard_of(access::Access& access, access::Audit& audit, const access::QuotaSettings& quotas,
               const std::function<Now()>& clock) {
  Guard guard;
  if (audit.enabled() || quotas.commands_per_second > 0) {
    guard.admit = [&access, &audit, clock](const Origin& origin, bool changes) -> std::expected<void, std::string> {
      const auto name = access::peer_name(origin.peer, origin.user_id).identity;
      if (const auto counted = access.count_command(name, clock().mono); !counted) {
        return std::unexpected{counted.error().text};
      }
      if (changes && !audit.allows_commands()) return std::unexpected{std::string{access::kNotAudited}};
      return {};
    };
  }
  if (audit.enabled()) {
    guard.note = [&audit, clock](const Origin& origin, const Noted& noted) {
      const auto name = access::peer_name(origin.peer, origin.user_id);
      audit.note({.identity = name.identity,
                  .peer = name.peer,
                  .protocol = "rtpproxy",
                  .command = noted.command,
                  .session = noted.call_id,
                  .result = noted.result,
                  .reason = noted.reason,
                  .unasked = !noted.reason.empty()},
                 clock().wall);
    };
  }
  return guard;
}

}  // namespace millrace::control::rtpproxy
