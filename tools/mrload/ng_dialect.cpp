// The ng protocol, bencoded: offer, answer and delete with the smallest SDP that a phone would send.

#include <fmt/format.h>

#include <optional>

#include "base/parse.hpp"
#include "mrload/bencode.hpp"
#include "mrload/dialect.hpp"

namespace millrace::mrload {
namespace {

std::string sdp_of(const net::Endpoint& media) {
  const std::string_view family = media.address.is_ipv6() ? "IP6" : "IP4";
  const auto address = media.address.to_string();
  return fmt::format(
      "v=0\r\no=mrload 1 1 IN {0} {1}\r\ns=-\r\nc=IN {0} {1}\r\nt=0 0\r\nm=audio {2} RTP/AVP 0\r\n"
      "a=rtpmap:0 PCMU/8000\r\n",
      family, address, media.port.value());
}

// The first m= line's port and the c= line that holds for it: its own when it has one, else the session's.
std::optional<net::Endpoint> media_of(std::string_view sdp) {
  std::optional<net::Address> address;
  std::optional<Port> port;
  while (!sdp.empty()) {
    const auto end = std::min(sdp.find('\n'), sdp.size());
    auto line = sdp.substr(0, end);
    sdp.remove_prefix(std::min(end + 1, sdp.size()));
    while (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("c=IN IP")) {
      address = net::Address::parse(line.substr(line.rfind(' ') + 1));
    } else if (line.starts_with("m=")) {
      if (port) break;   // the second media description: what follows is not ours
      const auto first = line.find(' ');
      if (first == std::string_view::npos) return std::nullopt;
      const auto number = parse_number<std::uint16_t>(line.substr(first + 1, line.find(' ', first + 1) - first - 1));
      if (!number || *number == 0) return std::nullopt;
      port = Port{*number};
    }
  }
  if (!address || !port) return std::nullopt;
  return net::Endpoint{*address, *port};
}

std::expected<bencode::Strings, std::string> successful(std::string_view reply) {
  const auto strings = bencode::top_level_strings(reply);
  if (!strings) return std::unexpected{fmt::format("\"{}\" (no bencoded dictionary)", reply.substr(0, 80))};
  const auto result = bencode::find(*strings, "result");
  if (result == "ok") return *strings;
  auto reason = bencode::find(*strings, "error-reason");
  if (reason.empty()) reason = bencode::find(*strings, "message");
  return std::unexpected{fmt::format("\"{}\" ({})", result, reason.empty() ? "no reason given" : reason)};
}

class NgDialect final : public Dialect {
 public:
  std::string offer(CallName call, const net::Endpoint& caller) const override {
    return request("offer", call)
        .add("ICE", "remove")
        .add_list("replace", {"origin"})
        .add("sdp", sdp_of(caller))
        .text();
  }
  std::string answer(CallName call, const net::Endpoint& callee) const override {
    return request("answer", call)
        .add("to-tag", fmt::format("t{}", call.number))
        .add("ICE", "remove")
        .add_list("replace", {"origin"})
        .add("sdp", sdp_of(callee))
        .text();
  }
  // Without a delay of its own a deleted call would keep its ports and memory for half a minute, and a set-up run would
  // measure that.
  std::string remove(CallName call) const override { return request("delete", call).add("delete-delay", "0").text(); }

  std::expected<net::Endpoint, std::string> media_address(std::string_view reply, const net::Address&) const override {
    const auto strings = successful(reply);
    if (!strings) return std::unexpected{strings.error()};
    const auto media = media_of(bencode::find(*strings, "sdp"));
    if (!media) return std::unexpected{std::string{"the reply's SDP names no address and port for media"}};
    return *media;
  }

  std::expected<void, std::string> removed(std::string_view reply) const override {
    const auto strings = successful(reply);
    if (!strings) return std::unexpected{strings.error()};
    const auto warning = bencode::find(*strings, "warning");  // "ok" with a warning: nothing was deleted
    if (!warning.empty()) return std::unexpected{fmt::format("\"{}\"", warning)};
    return {};
  }

 private:
  static bencode::Dictionary request(std::string_view command, CallName call) {
    bencode::Dictionary dictionary;
    dictionary.add("command", command)
        .add("call-id", fmt::format("mrload-{:08x}-{}", call.run, call.number))
        .add("from-tag", fmt::format("f{}", call.number));
    return dictionary;
  }
};

}  // namespace

std::unique_ptr<Dialect> make_ng_dialect() { return std::make_unique<NgDialect>(); }

}  // namespace millrace::mrload
