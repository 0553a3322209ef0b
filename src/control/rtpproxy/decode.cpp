#include "control/rtpproxy/decode.hpp"

#include <array>
#include <utility>

#include "base/parse.hpp"
#include "control/rtpproxy/modifiers.hpp"
#include "control/rtpproxy/subcommands.hpp"

namespace millrace::control::rtpproxy {
namespace {

using Decoded = std::expected<Request, ErrorCode>;
constexpr auto fail(ErrorCode code) { return std::unexpected{code}; }

std::string_view letters_of(const Line& line) { return line.main[0].substr(1); }

// The word at `index`, or nothing behind the last one.
std::string word_or_empty(const Words& words, std::size_t index) {
  return index < words.size() ? std::string{words[index]} : std::string{};
}

// CALLID … FROM [TO], with FROM at `from`.
session::Parties parties_of(const Words& words, std::size_t from) {
  return {.call_id = std::string{words[1]}, .from = std::string{words[from]}, .to = word_or_empty(words, from + 1)};
}

Request request_for(Verb verb, session::Command command) {
  Request request;
  request.verb = verb;
  request.command = std::move(command);
  return request;
}

// --- U and L -------------------------------------------------------------------------------------------------------

std::expected<session::PartySide, ErrorCode> decode_party(const Line& line, const Context& context) {
  auto party = decode_modifiers(letters_of(line), context.bridging);
  if (!party) return party;
  const auto remote = decode_endpoint(line.main[2], line.main[3], party->ipv6);
  if (!remote) return fail(remote.error());
  party->remote = *remote;
  return party;
}

// NSOCK NTAG. A target that is not allowed is no error: the session lives, nobody is told of its end.
std::expected<void, ErrorCode> decode_notify(std::string_view socket, std::string_view tag, const Context& context,
                                             Request& request) {
  if (!context.targets.enabled()) return fail(ErrorCode::no_notifications);
  auto decoded = url_decode(tag);
  if (!decoded) return fail(ErrorCode::bad_notify_tag);
  if (auto target = context.targets.resolve(socket, context.origin)) {
    std::get<session::Offer>(request.command).notify = session::Notify{std::move(*target), std::move(*decoded)};
  } else {
    request.unknown_target = socket;
  }
  return {};
}

// U[mods] CALLID ADDR PORT FROM [TO] [NSOCK NTAG]
Decoded decode_update(const Line& line, const Context& context) {
  const Words& words = line.main;
  session::Offer offer;
  offer.parties = {.call_id = std::string{words[1]}, .from = std::string{words[4]}, .to = {}};
  if (words.size() == 6) offer.notify = context.targets.resolve_joined(words[5], context.origin);
  const bool has_to = words.size() == 8 || (words.size() == 6 && !offer.notify);
  if (has_to) offer.parties.to = words[5];

  auto parts = decode_parts(line.parts, {Verb::update, offer.parties, context.bridging});
  if (!parts) return fail(parts.error());
  auto party = decode_party(line, context);
  if (!party) return fail(party.error());
  offer.party = std::move(*party);

  Request request = request_for(Verb::update, std::move(offer));
  request.parts = std::move(*parts);
  if (words.size() >= 7) {
    const std::size_t socket = words.size() - 2;
    if (auto done = decode_notify(words[socket], words[socket + 1], context, request); !done) return fail(done.error());
  }
  return request;
}

// L[mods] CALLID ADDR PORT FROM [TO]
Decoded decode_lookup(const Line& line, const Context& context) {
  session::Answer answer;
  answer.parties = parties_of(line.main, 4);
  auto parts = decode_parts(line.parts, {Verb::lookup, answer.parties, context.bridging});
  if (!parts) return fail(parts.error());
  auto party = decode_party(line, context);
  if (!party) return fail(party.error());
  answer.party = std::move(*party);
  Request request = request_for(Verb::lookup, std::move(answer));
  request.parts = std::move(*parts);
  return request;
}

// --- the others ------------------------------------------------------------------------------------------------------

// D[w] CALLID FROM [TO]
Decoded decode_remove(const Line& line, const Context&) {
  bool weak = false;
  for (const char letter : letters_of(line)) {
    if (lower(letter) != 'w') return fail(ErrorCode::unknown_delete_modifier);
    weak = true;
  }
  return request_for(Verb::remove, session::Delete{parties_of(line.main, 2), weak});
}

Decoded decode_remove_all(const Line&, const Context&) { return request_for(Verb::remove_all, session::DeleteAll{}); }

// P[count] CALLID NAME CODECS FROM [TO]
Decoded decode_play(const Line& line, const Context&) {
  session::Play play{.parties = parties_of(line.main, 4), .name = std::string{line.main[2]}, .codecs = {}, .repeat = 1};
  if (!letters_of(line).empty()) {
    const auto repeat = parse_number<int>(letters_of(line));
    if (!repeat) return fail(ErrorCode::bad_play_count);
    play.repeat = *repeat;
  }
  if (line.main[3] != "session") {
    play.codecs = decode_codecs(line.main[3]);
    // A list without any payload type names no file; empty would mean the party's own list.
    if (play.codecs.empty()) return fail(ErrorCode::no_player);
  }
  return request_for(Verb::play, std::move(play));
}

// S CALLID FROM [TO]
Decoded decode_stop_play(const Line& line, const Context&) {
  return request_for(Verb::stop_play, session::StopPlay{parties_of(line.main, 2)});
}

// R[s] CALLID FROM [TO]
Decoded decode_record(const Line& line, const Context&) {
  session::StartRecording record{.parties = parties_of(line.main, 2)};
  for (const char letter : letters_of(line)) {
    if (lower(letter) == 'p') return fail(ErrorCode::record_modifiers);
    if (lower(letter) != 's') return fail(ErrorCode::unknown_record_modifier);
    record.single_file = true;
  }
  return request_for(Verb::record, std::move(record));
}

// C[s][p] CALLID TARGET FROM [TO]
Decoded decode_copy(const Line& line, const Context&) {
  session::Copy copy{.parties = parties_of(line.main, 3), .target = std::string{line.main[2]}};
  for (const char letter : letters_of(line)) {
    switch (lower(letter)) {
      case 's': copy.single_file = true; break;
      case 'p': copy.tell_address = true; break;
      default: return fail(ErrorCode::unknown_record_modifier);
    }
  }
  return request_for(Verb::copy, std::move(copy));
}

// N[a] CALLID FROM [TO]
Decoded decode_stop_record(const Line& line, const Context&) {
  const std::string_view letters = letters_of(line);
  if (!letters.empty() && lower(letters[0]) != 'a') return fail(ErrorCode::unknown_record_modifier);
  if (letters.size() > 1) return fail(ErrorCode::record_modifiers);
  return request_for(Verb::stop_record, session::StopRecording{parties_of(line.main, 2), !letters.empty()});
}

// Verbose is `v`, for `Q` and `G` alike; each has its own error.
std::expected<bool, ErrorCode> decode_verbose(std::string_view letters, ErrorCode error) {
  for (const char letter : letters) {
    if (lower(letter) != 'v') return fail(error);
  }
  return !letters.empty();
}

// Q[v] CALLID FROM [TO [NAME]...]
Decoded decode_query(const Line& line, const Context& context) {
  session::Query query{parties_of(line.main, 2)};
  auto parts = decode_parts(line.parts, {Verb::query, query.parties, context.bridging});
  if (!parts) return fail(parts.error());
  const auto verbose = decode_verbose(letters_of(line), ErrorCode::unknown_query_modifier);
  if (!verbose) return fail(verbose.error());
  Request request = request_for(Verb::query, std::move(query));
  request.parts = std::move(*parts);
  request.verbose = *verbose;
  for (std::size_t i = 4; i < line.main.size(); ++i) request.names.push_back(line.main[i]);
  return request;
}

// G[v] [NAME]...
Decoded decode_statistics(const Line& line, const Context&) {
  const auto verbose = decode_verbose(letters_of(line), ErrorCode::unknown_statistics_modifier);
  if (!verbose) return fail(verbose.error());
  Request request;
  request.verb = Verb::statistics;
  request.verbose = *verbose;
  for (std::size_t i = 1; i < line.main.size(); ++i) request.names.push_back(line.main[i]);
  return request;
}

// I[b][l]
Decoded decode_info(const Line& line, const Context&) {
  Request request;
  request.verb = Verb::info;
  for (const char letter : letters_of(line)) {
    if (lower(letter) != 'b' && lower(letter) != 'l') return fail(ErrorCode::unknown_info_modifier);
    request.load |= lower(letter) == 'l';
  }
  return request;
}

// V
Decoded decode_version(const Line&, const Context&) { return Request{}; }

// VF DATE
Decoded decode_feature(const Line& line, const Context&) {
  Request request;
  request.verb = Verb::feature;
  request.names.push_back(line.main[1]);
  return request;
}

// --- the table -------------------------------------------------------------------------------------------------------

struct Letter {
  char letter;
  std::size_t fewest, most;  // words, the command included
  bool modifiers, parts;  // may follow
  Decoded (*decode)(const Line& line, const Context& context);
};

constexpr std::array kLetters{
    Letter{'u', 5, 8, true, true, decode_update},       Letter{'l', 5, 6, true, true, decode_lookup},
    Letter{'d', 3, 4, true, false, decode_remove},      Letter{'q', 3, 15, true, true, decode_query},
    Letter{'v', 1, 1, false, false, decode_version},    Letter{'p', 5, 6, true, false, decode_play},
    Letter{'s', 3, 4, false, false, decode_stop_play},  Letter{'r', 3, 4, true, false, decode_record},
    Letter{'c', 4, 5, true, false, decode_copy},        Letter{'n', 3, 4, true, false, decode_stop_record},
    Letter{'i', 1, 1, true, false, decode_info},        Letter{'g', 1, kMaxWords, true, false, decode_statistics},
    Letter{'x', 1, 1, false, false, decode_remove_all},
};
constexpr Letter kFeature{'f', 2, 2, false, false, decode_feature};  // the second letter, behind `V`

const Letter* find_letter(std::string_view word) {
  if (word.size() >= 2 && lower(word[0]) == 'v' && lower(word[1]) == kFeature.letter) return &kFeature;
  for (const Letter& entry : kLetters) {
    if (entry.letter == lower(word[0])) return &entry;
  }
  return nullptr;
}

}  // namespace

std::expected<Request, ErrorCode> decode(std::string_view body, const Context& context) {
  const auto line = split_words(body);
  if (!line) return fail(line.error());
  const Letter* letter = find_letter(line->main[0]);
  if (letter == nullptr) return fail(ErrorCode::unknown_command);
  const std::size_t words = line->main.size();
  if (words < letter->fewest || words > letter->most) return fail(ErrorCode::word_count);
  const std::size_t name = letter == &kFeature ? 2 : 1;
  if (!letter->modifiers && line->main[0].size() > name) return fail(ErrorCode::unexpected_modifier);
  if (!letter->parts && !line->parts.empty()) return fail(ErrorCode::bad_subcommand);
  return letter->decode(*line, context);
}

}  // namespace millrace::control::rtpproxy
