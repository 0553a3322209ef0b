#include "control/rtpproxy/subcommands.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/parse.hpp"
#include "control/rtpproxy/modifiers.hpp"

namespace millrace::control::rtpproxy {
namespace {

using Part = std::optional<session::Command>;  // nothing: E3, whatever was wrong with it

constexpr std::uint32_t kMaxTtlSeconds = 1u << 30;  // 34 years; more would overflow the deadline arithmetic

// Parts are decoded in order, because an `L` turns those behind it round.
class PartDecoder {
 public:
  explicit PartDecoder(const MainCommand& main) : main_{main}, turned_{main.verb == Verb::lookup} {}

  Part decode(const Words& words) {
    const std::string_view letters = words[0].substr(1);
    switch (lower(words[0].front())) {
      case 'l': return lookup(words, letters);
      case 's': return adjust(words, letters);
      case 'd': return remove(words, letters);
      case 'c': return fork(words, letters);
      default: return std::nullopt;  // also `M<module>:<instance>`: no module is loaded
    }
  }

 private:
  // L[mods] ADDR PORT: the other leg, in the same command.
  Part lookup(const Words& words, std::string_view letters) {
    if (!names_both() || words.size() != 3) return std::nullopt;
    auto party = decode_modifiers(letters, main_.bridging);
    if (!party) return std::nullopt;
    const auto remote = decode_endpoint(words[1], words[2], party->ipv6);
    if (!remote) return std::nullopt;
    party->remote = *remote;
    turned_ = !turned_;
    return session::Answer{main_.parties, std::move(*party)};
  }

  // S[r] ttl=N, S[r] tos=N
  Part adjust(const Words& words, std::string_view letters) const {
    const bool other = letters.size() == 1 && lower(letters[0]) == 'r';
    if (words.size() != 2 || (!letters.empty() && !other)) return std::nullopt;
    session::Adjust adjust{.parties = main_.parties, .other_side = other != turned_, .ttl = {}, .tos = {}};
    const std::string_view value = words[1].substr(std::min<std::size_t>(4, words[1].size()));
    if (words[1].starts_with("ttl=")) {
      const auto seconds = parse_number<std::uint32_t>(value);
      if (!seconds || *seconds == 0 || *seconds > kMaxTtlSeconds) return std::nullopt;
      adjust.ttl = std::chrono::seconds{*seconds};
    } else if (words[1].starts_with("tos=")) {
      adjust.tos = parse_number<std::uint8_t>(value);
      if (!adjust.tos) return std::nullopt;
    } else {
      return std::nullopt;
    }
    return adjust;
  }

  // D[w]: this session alone, so its media number goes along even where the client left it out.
  Part remove(const Words& words, std::string_view letters) const {
    const bool weak = letters.size() == 1 && lower(letters[0]) == 'w';
    if (words.size() != 1 || (!letters.empty() && !weak)) return std::nullopt;
    session::Parties parties = main_.parties;
    const std::size_t number = parties.from.rfind(';');
    if (number != std::string::npos && !parties.to.empty() && !parties.to.contains(';')) {
      parties.to += parties.from.substr(number);
    }
    return session::Delete{std::move(parties), weak};
  }

  // C CALLID FROM TO
  Part fork(const Words& words, std::string_view letters) const {
    if (!names_both() || words.size() != 4 || !letters.empty()) return std::nullopt;
    return session::Fork{
        .into = main_.parties,
        .source = {.call_id = std::string{words[1]}, .from = std::string{words[2]}, .to = std::string{words[3]}}};
  }

  [[nodiscard]] bool names_both() const { return main_.verb == Verb::update && !main_.parties.to.empty(); }

  const MainCommand& main_;
  bool turned_;  // parts speak of the party of TO: the one whose address `L` gives, alone or in an update
};

}  // namespace

std::expected<std::vector<session::Command>, ErrorCode> decode_parts(const std::vector<Words>& parts,
                                                                     const MainCommand& main) {
  std::vector<session::Command> commands;
  commands.reserve(parts.size());
  PartDecoder decoder{main};
  for (const Words& words : parts) {
    Part command = decoder.decode(words);
    if (!command) return std::unexpected{ErrorCode::bad_subcommand};
    commands.push_back(std::move(*command));
  }
  return commands;
}

}  // namespace millrace::control::rtpproxy
