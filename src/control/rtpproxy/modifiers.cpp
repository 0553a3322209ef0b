#include "control/rtpproxy/modifiers.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/parse.hpp"

namespace millrace::control::rtpproxy {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::size_t kMaxCodecs = 128;           // there are no more payload types
constexpr unsigned kMaxPacketMs = 999;            // of `z`
constexpr std::uint32_t kMaxTtlSeconds = 1u << 30;  // 34 years; more would overflow the deadline arithmetic

using Done = std::expected<void, ErrorCode>;
constexpr auto fail(ErrorCode code) { return std::unexpected{code}; }

// Reads modifiers from the left; each handler consumes its own argument.
class Reader {
 public:
  Reader(std::string_view letters, bool bridging) : rest_{letters}, bridging_{bridging} {}

  std::expected<session::PartySide, ErrorCode> run() {
    while (!rest_.empty()) {
      const char letter = lower(rest_.front());
      rest_.remove_prefix(1);
      if (auto done = apply(letter); !done) return fail(done.error());
    }
    choose_sides();
    return std::move(side_);
  }

 private:
  Done apply(char letter) {
    switch (letter) {
      case 'a': side_.asymmetric = true; return {};
      case 's': side_.asymmetric = false; return {};
      case '6': side_.ipv6 = true; return {};
      case 'w': side_.weak = true; return {};
      case 'n': side_.new_port = true; return {};
      case 'e': return interface("external", ErrorCode::no_external);
      case 'i': return interface("internal", ErrorCode::no_internal);
      case 'z': return repacketize();
      case 'c': return codecs();
      case 'l': return local_address();
      case 'r': return remote_address();
      case 't': return idle_ttl();
      default: return fail(ErrorCode::unknown_party_modifier);
    }
  }

  Done interface(std::string_view name, ErrorCode error) {
    if (!bridging_ || interfaces_ == 2) return fail(error);
    sides_[interfaces_++] = name;
    return {};
  }

  Done repacketize() {
    const auto ms = parse_number<unsigned>(take_run(kDigits));
    if (!ms || *ms == 0 || *ms > kMaxPacketMs) return fail(ErrorCode::bad_repacketization);
    side_.repacketize_ms = static_cast<std::uint16_t>(*ms);
    return {};
  }

  Done codecs() {
    const std::string_view list = take_run("0123456789,");
    if (list.empty() || std::exchange(has_codecs_, true)) return fail(ErrorCode::bad_codecs);
    side_.codecs = decode_codecs(list);
    return {};
  }

  Done local_address() {
    if (const auto label = take_bracketed('{', '}')) {
      if (label->empty()) return fail(ErrorCode::bad_local_address);
      side_.port_on = session::InterfaceNamed{std::string{*label}};
      return {};
    }
    const auto address = take_address();
    if (!address) return fail(ErrorCode::bad_local_address);
    side_.port_on = session::LocalAddress{*address};
    return {};
  }

  Done remote_address() {
    const auto address = take_address();
    if (!address) return fail(ErrorCode::bad_remote_address);
    side_.port_on = session::RouteTo{*address};
    return {};
  }

  // OpenSIPS sends `T` with the seconds; without digits it says nothing.
  Done idle_ttl() {
    const std::string_view digits = take_run(kDigits);
    if (digits.empty()) return {};
    const auto seconds = parse_number<std::uint32_t>(digits).value_or(kMaxTtlSeconds);
    if (seconds > 0) side_.idle_ttl = std::chrono::seconds{std::min(seconds, kMaxTtlSeconds)};
    return {};
  }

  // The first letter is the side of the party that speaks, the second the other one. What no letter chooses is left to
  // the session: the first configured interface, which is the internal one.
  void choose_sides() {
    if (interfaces_ > 0) side_.facing_party = session::InterfaceNamed{std::string{sides_[0]}};
    if (interfaces_ > 1) side_.facing_other = session::InterfaceNamed{std::string{sides_[1]}};
  }

  std::string_view take_run(std::string_view allowed) {
    const std::string_view run = rest_.substr(0, rest_.find_first_not_of(allowed));
    rest_.remove_prefix(run.size());
    return run;
  }

  std::optional<std::string_view> take_bracketed(char open, char close) {
    if (!rest_.starts_with(open)) return std::nullopt;
    const std::size_t end = rest_.find(close);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view inside = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return inside;
  }

  // d.d.d.d or [v6].
  std::optional<net::Address> take_address() {
    if (const auto inside = take_bracketed('[', ']')) {
      return inside->contains(':') ? net::Address::parse(*inside) : std::nullopt;
    }
    return net::Address::parse(take_run("0123456789."));
  }

  std::string_view rest_;
  bool bridging_;
  session::PartySide side_;
  std::size_t interfaces_ = 0;
  std::array<std::string_view, 2> sides_;
  bool has_codecs_ = false;
};

}  // namespace

std::expected<session::PartySide, ErrorCode> decode_modifiers(std::string_view letters, bool bridging) {
  return Reader{letters, bridging}.run();
}

std::expected<std::optional<net::Endpoint>, ErrorCode> decode_endpoint(std::string_view address, std::string_view port,
                                                                       bool ipv6) {
  const std::size_t shortest = ipv6 ? 2 : 7;  // "::" and "0.0.0.0"
  const std::size_t longest = ipv6 ? 45 : 15;  // as INET6_ADDRSTRLEN and INET_ADDRSTRLEN have it
  if (address.size() < shortest || address.size() > longest) return std::nullopt;
  // By its writing, not by the parsed family: a mapped address is IPv6 here, although its value is IPv4.
  const auto parsed = address.contains(':') == ipv6 ? net::Address::parse(address) : std::nullopt;
  if (!parsed || port.find_first_not_of(kDigits) != std::string_view::npos) return fail(ErrorCode::bad_address);
  unsigned value = 0;
  for (const char digit : port)
    value = (value * 10 + static_cast<unsigned>(digit - '0')) % 65536;  // as clients know it
  return net::Endpoint{*parsed, Port{static_cast<std::uint16_t>(value)}};
}

std::vector<std::uint8_t> decode_codecs(std::string_view list) {
  std::vector<std::uint8_t> codecs;
  while (!list.empty() && codecs.size() < kMaxCodecs) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const auto payload_type = parse_number<std::uint8_t>(list.substr(0, comma));
    if (payload_type && *payload_type < 128) codecs.push_back(*payload_type);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return codecs;
}

}  // namespace millrace::control::rtpproxy
