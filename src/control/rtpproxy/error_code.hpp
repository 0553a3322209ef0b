#pragma once
// The numbers behind `E` in replies of the text protocol. SIP servers look at some of them (OpenSIPS takes 7 to 10 as
// a broken proxy), so each keeps its number for ever.

#include <cstdint>

namespace millrace::control::rtpproxy {

enum class ErrorCode : std::uint8_t {
  unknown_command = 0,
  word_count = 1,
  unexpected_modifier = 2,   // of a command that takes none
  bad_subcommand = 3,        // behind `&&`: unknown, malformed, or not possible with this command
  malformed = 5,             // empty, a NUL inside, too many words or parts
  record_modifiers = 6,      // `Rp`, `Na` with more letters
  unknown_record_modifier = 7,  // of `R`, `C`, `N`
  unknown_delete_modifier = 8,
  unknown_statistics_modifier = 9,
  bad_notify_tag = 10,       // its URL coding
  no_external = 11,          // `e` without bridging, or as a third interface letter
  no_internal = 12,          // `i` likewise
  bad_repacketization = 13,
  bad_codecs = 14,           // empty, or given twice
  bad_local_address = 15,    // the form of what follows `l`
  bad_remote_address = 16,   // the form of what follows `r`
  bad_play_count = 17,
  unknown_info_modifier = 18,
  unknown_query_modifier = 19,
  no_such_address = 31,
  no_route = 32,
  unknown_party_modifier = 35,  // of `U` and `L`
  no_codecs = 35,               // `P … session` for a party without a codec list
  no_address_of_family = 36,
  bad_address = 37,          // ADDR or PORT
  not_found = 50,
  no_player = 60,
  unknown_query_name = 62,
  copy_failed = 65,
  unknown_statistics_name = 68,
  no_port_for_leg = 71,
  no_port_for_new = 72,
  no_notifications = 75,     // a notify socket although none is allowed
  refused = 98,              // overloaded, or as many sessions as are allowed
  draining = 99,
};

}  // namespace millrace::control::rtpproxy
