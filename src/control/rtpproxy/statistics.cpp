#include "control/rtpproxy/statistics.hpp"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <variant>

namespace millrace::control::rtpproxy {
namespace {

using flow::Count;
using flow::FlowCounters;
using session::ConnectionCounters;

// `G` shows both sources of numbers alike.
struct Global {
  const session::Totals& totals;
  const CommandCounters& commands;
};

using Number = std::variant<std::uint64_t, double>;  // shown as %llu, as %f

template <class Source>
struct Name {
  std::string_view name;
  Number (*value)(const Source& from);
};

std::uint64_t relayed(const ConnectionCounters& from) {
  return from.party_rtp[Count::packets_relayed] + from.other_rtp[Count::packets_relayed];
}

std::uint64_t accepted(const ConnectionCounters& from) {
  return from.party_rtp[Count::packets_in] + from.other_rtp[Count::packets_in];
}

// The blocks of both sides are read one after the other, so a packet may be in one number and not yet in the other.
std::uint64_t dropped(const ConnectionCounters& from) {
  const std::uint64_t in = accepted(from), out = relayed(from);
  return in > out ? in - out : 0;
}

template <Count what>
Number of_party(const ConnectionCounters& from) {
  return from.party_rtp[what];
}

template <Count what>
Number thousandths_of_party(const ConnectionCounters& from) {
  return static_cast<double>(from.party_rtp[what]) / 1000.0;
}

constexpr std::array<Name<ConnectionCounters>, 14> kQueryNames{{
    {"ttl", [](const ConnectionCounters& from) -> Number { return static_cast<std::uint64_t>(from.ttl.count()); }},
    {"npkts_ina", of_party<Count::packets_in>},
    {"npkts_ino", [](const ConnectionCounters& from) -> Number { return from.other_rtp[Count::packets_in]; }},
    {"nrelayed", [](const ConnectionCounters& from) -> Number { return relayed(from); }},
    {"ndropped", [](const ConnectionCounters& from) -> Number { return dropped(from); }},
    {"rtpa_nsent", of_party<Count::rtp_expected>},
    {"rtpa_nrcvd", of_party<Count::rtp_received>},
    {"rtpa_ndups", of_party<Count::rtp_duplicates>},
    {"rtpa_nlost", of_party<Count::rtp_lost>},
    // RTCP on the RTP port does not parse as RTP either.
    {"rtpa_perrs",
     [](const ConnectionCounters& from) -> Number {
       return from.party_rtp[Count::not_rtp] + from.party_rtp[Count::rtcp_on_rtp];
     }},
    {"longest_ipi",
     [](const ConnectionCounters& from) -> Number {
       return static_cast<double>(from.party_rtp[Count::longest_gap_ns]) / 1e9;
     }},
    {"rtpa_jlast", thousandths_of_party<Count::rtp_jitter_last>},
    {"rtpa_jmax", thousandths_of_party<Count::rtp_jitter_max>},
    {"rtpa_javg", thousandths_of_party<Count::rtp_jitter_average>},
}};
constexpr std::size_t kQueryDefaults = 5;  // the first ones, when no name is given

template <std::uint64_t session::Totals::* member>
Number total(const Global& from) {
  return from.totals.*member;
}

template <std::uint64_t CommandCounters::* member>
Number command(const Global& from) {
  return from.commands.*member;
}

// Of stages that are not there: none was ever made.
Number none(const Global&) { return std::uint64_t{0}; }

using session::Totals;
constexpr std::array<Name<Global>, 29> kGlobalNames{{
    {"nsess_created", total<&Totals::created>},
    {"nsess_destroyed", total<&Totals::destroyed>},
    {"nsess_timeout", total<&Totals::timed_out>},
    {"nsess_complete", total<&Totals::completed>},
    {"nsess_nortp", total<&Totals::no_rtp>},
    {"nsess_owrtp", total<&Totals::one_way_rtp>},
    {"nsess_nortcp", total<&Totals::no_rtcp>},
    {"nsess_owrtcp", total<&Totals::one_way_rtcp>},
    {"nplrs_created", none},
    {"nplrs_destroyed", none},
    {"npkts_rcvd", total<&Totals::packets_in>},
    {"npkts_played", none},
    {"npkts_relayed", total<&Totals::packets_relayed>},
    {"npkts_resizer_in", none},
    {"npkts_resizer_out", none},
    {"npkts_resizer_discard", none},
    {"npkts_discard", total<&Totals::packets_discarded>},
    {"total_duration", [](const Global& from) -> Number { return from.totals.duration_seconds; }},
    {"ncmds_rcvd", command<&CommandCounters::received>},
    {"ncmds_rcvd_ndups", command<&CommandCounters::repeated>},
    {"ncmds_succd", command<&CommandCounters::succeeded>},
    {"ncmds_errs", command<&CommandCounters::failed>},
    {"ncmds_repld", command<&CommandCounters::replied>},
    {"rtpa_nsent", total<&Totals::rtp_expected>},
    {"rtpa_nrcvd", total<&Totals::rtp_received>},
    {"rtpa_ndups", total<&Totals::rtp_duplicates>},
    {"rtpa_nlost", total<&Totals::rtp_lost>},
    {"rtpa_perrs", total<&Totals::not_rtp>},
    {"pps_in", [](const Global& from) -> Number { return from.totals.packets_in_per_second; }},
}};

template <class Source>
void append(const Name<Source>& entry, const Source& from, bool verbose, std::string& out) {
  if (verbose) fmt::format_to(std::back_inserter(out), "{}=", entry.name);
  const Number number = entry.value(from);
  if (const auto* integer = std::get_if<std::uint64_t>(&number)) {
    fmt::format_to(std::back_inserter(out), "{}", *integer);
  } else {
    fmt::format_to(std::back_inserter(out), "{:f}", std::get<double>(number));
  }
}

// False at the first unknown name.
template <class Source, std::size_t N>
bool append_named(const std::array<Name<Source>, N>& table, const Source& from, const Request& request,
                  std::string& out) {
  const std::size_t start = out.size();
  for (const std::string_view name : request.names) {
    std::size_t i = 0;
    while (i < N && table[i].name != name) ++i;
    if (i == N) {
      out.resize(start);
      return false;
    }
    if (out.size() > start) out += ' ';
    append(table[i], from, request.verbose, out);
  }
  return true;
}

}  // namespace

std::expected<void, ErrorCode> encode_query(const ConnectionCounters& counters, const Request& request,
                                            std::string& out) {
  if (!request.names.empty()) {
    if (!append_named(kQueryNames, counters, request, out)) return std::unexpected{ErrorCode::unknown_query_name};
    return {};
  }
  for (std::size_t i = 0; i < kQueryDefaults; ++i) {
    if (i > 0) out += ' ';
    append(kQueryNames[i], counters, request.verbose, out);
  }
  return {};
}

std::expected<void, ErrorCode> encode_statistics(const session::Totals& totals, const CommandCounters& commands,
                                                 const Request& request, std::string& out) {
  const Global global{totals, commands};
  if (!append_named(kGlobalNames, global, request, out)) return std::unexpected{ErrorCode::unknown_statistics_name};
  return {};
}

void encode_info(const session::Totals& totals, bool load, std::string& out) {
  fmt::format_to(std::back_inserter(out),
                 "sessions created: {}\nactive sessions: {}\nactive streams: {}\n"
                 "packets received: {}\npackets transmitted: {}",
                 totals.created, totals.active_connections, 2 * totals.active_connections, totals.packets_in,
                 totals.packets_relayed);
  // The reference never measured a load, and clients that balance by it would misread any other number.
  if (load) out += "\naverage load: 0.000000";
}

}  // namespace millrace::control::rtpproxy
