// The words for this folder's enumerations: what people read in logs and tools.

#include "session/change.hpp"
#include "session/reply.hpp"

namespace millrace::session {

std::string_view describe(Error error) {
  switch (error) {
    case Error::not_found: return "no such call or connection";
    case Error::no_port_for_new: return "no free port pair for a new connection";
    case Error::no_port_for_leg: return "no free port pair for this leg";
    case Error::no_such_address: return "the local address is unknown or cannot be used";
    case Error::no_route: return "no route to the given address";
    case Error::no_address_of_family: return "no local address of the wanted family";
    case Error::busy: return "too much is under way";
    case Error::draining: return "draining: no new connections";
    case Error::limit_reached: return "a configured limit is reached";
    case Error::not_supported: return "not supported here";
    case Error::in_use: return "the call-id is in use";
    case Error::owner_limit_reached: return "this identity has as many sessions as it may";
    case Error::no_codecs: return "the party has signalled no codecs";
  }
  return "unknown error";
}

std::string_view describe(EndReason reason) {
  switch (reason) {
    case EndReason::deleted: return "deleted";
    case EndReason::all_deleted: return "deleted with all others";
    case EndReason::idle_timeout: return "no media for too long";
    case EndReason::setup_timeout: return "never answered";
    case EndReason::held_timeout: return "on hold for too long";
    case EndReason::max_duration: return "maximum duration reached";
    case EndReason::shutdown: return "shutdown";
  }
  return "unknown reason";
}

}  // namespace millrace::session
