#include "control/rtpproxy/encode.hpp"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace millrace::control::rtpproxy {
namespace {

constexpr std::string_view kPart = " && ";

void append_number(unsigned number, std::string& out) { out += fmt::format_int(number).c_str(); }

// A stage that is missing is told in the words in which its command fails when the stage is there.
ErrorCode code_of_missing_stage(Verb verb) {
  switch (verb) {
    case Verb::play: return ErrorCode::no_player;
    case Verb::copy: return ErrorCode::copy_failed;
    default: return ErrorCode::not_found;  // `R` and `N`: nothing was recorded, nothing was recording
  }
}

}  // namespace

void encode_error(ErrorCode code, std::string& out) {
  out += 'E';
  append_number(std::to_underlying(code), out);
}

void encode_local(const session::LocalMedia& media, std::string& out) {
  append_number(media.local.port.value(), out);
  if (media.local.address.is_any()) return;
  out += ' ';
  out += media.advertised.empty() ? media.local.address.to_string() : media.advertised;
  if (media.local.address.is_ipv6()) out += " 6";
}

ErrorCode error_code(session::Error error, Verb verb) {
  switch (error) {
    case session::Error::not_found: return ErrorCode::not_found;
    case session::Error::no_port_for_new: return ErrorCode::no_port_for_new;
    case session::Error::no_port_for_leg: return ErrorCode::no_port_for_leg;
    case session::Error::no_such_address: return ErrorCode::no_such_address;
    case session::Error::no_route: return ErrorCode::no_route;
    case session::Error::no_address_of_family: return ErrorCode::no_address_of_family;
    case session::Error::busy: return ErrorCode::refused;
    // A full node is an overloaded one to its clients: the offer fails here, the node stays in their set.
    case session::Error::owner_limit_reached:
    case session::Error::in_use:
    case session::Error::limit_reached: return ErrorCode::refused;
    case session::Error::draining: return ErrorCode::draining;
    case session::Error::not_supported: return code_of_missing_stage(verb);
    case session::Error::no_codecs: return ErrorCode::no_codecs;
  }
  std::unreachable();
}

bool PartResults::add(const session::Reply& reply) {
  if (const auto* media = std::get_if<session::LocalMedia>(&reply)) {
    begin();
    encode_local(*media, out_);
    return true;
  }
  if (const auto* error = std::get_if<session::Error>(&reply)) {
    begin();
    out_ += '-';
    // The reference says -1 for a session that is not there; other failures name themselves by their code.
    const bool unknown = *error == session::Error::not_found || *error == session::Error::not_supported;
    append_number(unknown ? 1 : std::to_underlying(error_code(*error, Verb::update)), out_);
    return false;
  }
  ++silent_;
  return true;
}

void PartResults::begin() {
  for (; silent_ > 0; --silent_) {
    out_ += kPart;
    out_ += '0';
  }
  out_ += kPart;
}

}  // namespace millrace::control::rtpproxy
