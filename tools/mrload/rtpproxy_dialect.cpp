// The text protocol, in the dialect that SIP servers use: media stream number ";1" on the tags of U and L, bare tags
// on D.

#include <fmt/format.h>

#include <array>
#include <vector>

#include "base/parse.hpp"
#include "mrload/dialect.hpp"

namespace millrace::mrload {
namespace {

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view kSpace = " \t\r\n";
  std::vector<std::string_view> words;
  for (auto at = line.find_first_not_of(kSpace); at != std::string_view::npos;
       at = line.find_first_not_of(kSpace, at)) {
    const auto end = std::min(line.find_first_of(kSpace, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

std::string_view meaning_of(std::string_view code) {
  struct Meaning {
    std::string_view code, text;
  };
  constexpr std::array kMeanings{
      Meaning{"E36", "the relay has no local address of this family"},
      Meaning{"E50", "the relay does not know the call"},
      Meaning{"E71", "no port for the second leg: widen the relay's port range or its descriptor limit"},
      Meaning{"E72", "no port for a new session: widen the relay's port range or its descriptor limit"},
      Meaning{"E98", "the relay says that it is overloaded"},
      Meaning{"E99", "the relay is stopping and takes no new calls"},
  };
  for (const Meaning& m : kMeanings) {
    if (m.code == code) return m.text;
  }
  return "an error code of the control protocol";
}

std::string refused(std::string_view reply, std::string_view why) { return fmt::format("\"{}\" ({})", reply, why); }

class RtpproxyDialect final : public Dialect {
 public:
  std::string offer(CallName call, const net::Endpoint& caller) const override {
    return fmt::format("U{} {} {} {} f{};1", family(caller), id(call), caller.address.to_string(), caller.port.value(),
                       call.number);
  }
  std::string answer(CallName call, const net::Endpoint& callee) const override {
    return fmt::format("L{} {} {} {} f{};1 t{};1", family(callee), id(call), callee.address.to_string(),
                       callee.port.value(), call.number, call.number);
  }
  std::string remove(CallName call) const override {
    return fmt::format("D {} f{} t{}", id(call), call.number, call.number);
  }

  std::expected<net::Endpoint, std::string> media_address(std::string_view reply,
                                                          const net::Address& control) const override {
    const auto words = words_of(reply);
    if (words.empty()) return std::unexpected{refused(reply, "an empty reply")};
    if (words[0].front() == 'E') return std::unexpected{refused(words[0], meaning_of(words[0]))};
    const auto port = parse_number<std::uint16_t>(words[0]);
    if (!port) return std::unexpected{refused(reply, "not a port")};
    if (*port == 0) return std::unexpected{refused(reply, "the relay does not know the call")};
    if (words.size() == 1) return net::Endpoint{control, Port{*port}};
    const auto address = net::Address::parse(words[1]);
    if (!address) return std::unexpected{refused(reply, "the second word is no IP address")};
    return net::Endpoint{*address, Port{*port}};
  }

  std::expected<void, std::string> removed(std::string_view reply) const override {
    const auto words = words_of(reply);
    if (words.size() == 1 && words[0] == "0") return {};
    return std::unexpected{refused(reply, words.empty() ? "an empty reply" : meaning_of(words[0]))};
  }

 private:
  static std::string_view family(const net::Endpoint& endpoint) { return endpoint.address.is_ipv6() ? "6" : ""; }
  static std::string id(CallName call) { return fmt::format("mrload-{:08x}-{}", call.run, call.number); }
};

}  // namespace

std::unique_ptr<Dialect> make_rtpproxy_dialect() { return std::make_unique<RtpproxyDialect>(); }

std::unique_ptr<Dialect> make_dialect(Protocol protocol) {
  return protocol == Protocol::ng ? make_ng_dialect() : make_rtpproxy_dialect();
}

}  // namespace millrace::mrload
