#include "control/rtpproxy/encode.hpp"

#include <gtest/gtest.h>

#include <array>

namespace millrace::control::rtpproxy {
namespace {

using session::Error;
using session::LocalMedia;

LocalMedia media(std::string_view local, std::string advertised = {}) {
  return {.local = *net::Endpoint::parse(local), .advertised = std::move(advertised)};
}

TEST(RtpproxyEncode, local_port_is_told_with_its_address_unless_that_is_the_wildcard) {
  struct Case {
    LocalMedia media;
    std::string_view text;
  };
  const std::array cases{
      Case{media("192.0.2.1:20000"), "20000 192.0.2.1"},
      Case{media("[2001:db8::1]:20000"), "20000 2001:db8::1 6"},
      Case{media("192.0.2.1:20000", "203.0.113.9"), "20000 203.0.113.9"},
      Case{media("192.0.2.1:20000", "media.example.org"), "20000 media.example.org"},
      Case{media("[2001:db8::1]:20000", "media.example.org"), "20000 media.example.org 6"},
      Case{media("0.0.0.0:20000"), "20000"},
      Case{media("0.0.0.0:20000", "203.0.113.9"), "20000"},
      Case{media("[::]:20000"), "20000"},
  };
  for (const Case& c : cases) {
    std::string out;
    encode_local(c.media, out);
    EXPECT_EQ(out, c.text);
  }
}

TEST(RtpproxyEncode, every_refusal_of_the_session_has_a_number) {
  struct Case {
    Error error;
    Verb verb;
    std::string_view text;
  };
  constexpr std::array kCases{
      Case{Error::not_found, Verb::update, "E50"},
      Case{Error::no_port_for_new, Verb::update, "E72"},
      Case{Error::no_port_for_leg, Verb::lookup, "E71"},
      Case{Error::no_such_address, Verb::update, "E31"},
      Case{Error::no_route, Verb::update, "E32"},
      Case{Error::no_address_of_family, Verb::update, "E36"},
      Case{Error::busy, Verb::update, "E98"},
      Case{Error::limit_reached, Verb::update, "E98"},
      Case{Error::draining, Verb::update, "E99"},
      Case{Error::not_supported, Verb::play, "E60"},
      Case{Error::no_codecs, Verb::play, "E35"},
      Case{Error::not_supported, Verb::copy, "E65"},
      Case{Error::not_supported, Verb::record, "E50"},
      Case{Error::not_supported, Verb::stop_record, "E50"},
  };
  for (const Case& c : kCases) {
    std::string out;
    encode_error(error_code(c.error, c.verb), out);
    EXPECT_EQ(out, c.text) << session::describe(c.error);
  }
}

TEST(RtpproxyEncode, parts_without_output_are_told_only_before_one_that_has_some) {
  const session::Reply nothing = session::Done{}, port = media("192.0.2.1:20000");
  const session::Reply unknown = Error::not_found, no_port = Error::no_port_for_leg;
  struct Case {
    std::vector<session::Reply> replies;
    std::string_view text;
    bool all = true;
  };
  const std::array cases{
      Case{{}, ""},
      Case{{nothing, nothing}, ""},
      Case{{nothing, port, nothing, nothing}, " && 0 && 20000 192.0.2.1"},
      Case{{port, nothing, port}, " && 20000 192.0.2.1 && 0 && 20000 192.0.2.1"},
      Case{{unknown}, " && -1", false},
      Case{{nothing, no_port}, " && 0 && -71", false},
  };
  for (const Case& c : cases) {
    std::string out;
    PartResults results{out};
    bool all = true;
    for (const session::Reply& reply : c.replies) all = all && results.add(reply);
    EXPECT_EQ(out, c.text);
    EXPECT_EQ(all, c.all) << c.text;
  }
}

}  // namespace
}  // namespace millrace::control::rtpproxy
