#include "mrload/dialect.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <span>

namespace millrace::mrload {
namespace {

using testing::HasSubstr;

constexpr CallName kCall{0xab00'0000, 7};
const net::Endpoint kMedia = *net::Endpoint::parse("127.0.0.2:40000");
const net::Address kControl = *net::Address::parse("192.0.2.9");

TEST(RtpproxyDialect, writes_commands_as_sip_servers_do) {
  const auto dialect = make_dialect(Protocol::rtpproxy);
  EXPECT_EQ(dialect->offer(kCall, kMedia), "U mrload-ab000000-7 127.0.0.2 40000 f7;1");
  EXPECT_EQ(dialect->answer(kCall, kMedia), "L mrload-ab000000-7 127.0.0.2 40000 f7;1 t7;1");
  EXPECT_EQ(dialect->remove(kCall), "D mrload-ab000000-7 f7 t7");
  EXPECT_EQ(dialect->offer(kCall, *net::Endpoint::parse("[::1]:40000")), "U6 mrload-ab000000-7 ::1 40000 f7;1");
}

struct Reply {
  std::string_view text;
  std::optional<std::string_view> endpoint;   // nothing: refused, and then
  std::string_view error;                     // the error holds this
};

void expect_media(const Dialect& dialect, std::span<const Reply> replies) {
  for (const Reply& reply : replies) {
    const auto media = dialect.media_address(reply.text, kControl);
    EXPECT_EQ(media.has_value(), reply.endpoint.has_value()) << reply.text;
    if (media) {
      EXPECT_EQ(media->to_string(), reply.endpoint.value_or("an error")) << reply.text;
    } else {
      EXPECT_THAT(media.error(), HasSubstr(reply.error)) << reply.text;
    }
  }
}

TEST(RtpproxyDialect, reads_every_form_of_reply) {
  constexpr std::array kReplies{
      Reply{"25610 127.0.0.5\n", "127.0.0.5:25610", ""},
      Reply{"25610\n", "192.0.2.9:25610", ""},
      Reply{"25610 ::1 6\n", "[::1]:25610", ""},
      Reply{"0\n", std::nullopt, "does not know the call"},
      Reply{"E72\n", std::nullopt, "\"E72\" (no port"},
      Reply{"E4711\n", std::nullopt, "E4711"},
      Reply{"\n", std::nullopt, "empty"},
      Reply{"65536 127.0.0.1\n", std::nullopt, "not a port"},
      Reply{"100 media.example\n", std::nullopt, "no IP address"},
  };
  expect_media(*make_dialect(Protocol::rtpproxy), kReplies);
}

TEST(RtpproxyDialect, takes_nothing_but_0_for_a_removed_call) {
  const auto dialect = make_dialect(Protocol::rtpproxy);
  EXPECT_TRUE(dialect->removed("0\n"));
  EXPECT_THAT(dialect->removed("E50\n").error(), HasSubstr("does not know the call"));
  EXPECT_FALSE(dialect->removed("1\n"));
  EXPECT_FALSE(dialect->removed(""));
}

TEST(NgDialect, writes_offer_answer_and_delete) {
  const auto dialect = make_dialect(Protocol::ng);
  const auto offer = dialect->offer(kCall, kMedia);
  EXPECT_THAT(offer, testing::StartsWith("d7:command5:offer7:call-id17:mrload-ab000000-78:from-tag2:f7"));
  EXPECT_THAT(offer, HasSubstr("c=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"));
  EXPECT_THAT(dialect->answer(kCall, kMedia), HasSubstr("6:to-tag2:t7"));
  EXPECT_THAT(dialect->remove(kCall), HasSubstr("12:delete-delay1:0"));
}

std::string ng_reply(std::string_view sdp) {
  return "d6:result2:ok3:sdp" + std::to_string(sdp.size()) + ":" + std::string{sdp} + "e";
}

TEST(NgDialect, finds_the_media_address_in_the_sdp) {
  const auto session = ng_reply("v=0\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 31000 RTP/AVP 0\r\na=rtcp:31001\r\n");
  const auto media = ng_reply("v=0\nm=audio 31000 RTP/AVP 0\nc=IN IP6 ::1\nm=video 4 RTP/AVP 9\nc=IN IP4 192.0.2.7\n");
  const auto rejected = ng_reply("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 0 RTP/AVP 0\r\n");
  const auto bare = ng_reply("v=0\r\nm=audio\r\n");
  const std::array replies{
      Reply{session, "127.0.0.1:31000", ""},
      Reply{media, "[::1]:31000", ""},
      Reply{rejected, std::nullopt, "no address and port"},
      Reply{bare, std::nullopt, "no address and port"},
      Reply{"d6:result5:error12:error-reason17:Ran out of ports.e", std::nullopt, "Ran out of ports"},
      Reply{"d6:result10:load limit7:message9:too much!e", std::nullopt, "too much!"},
      Reply{"d6:result", std::nullopt, "no bencoded dictionary"},
  };
  expect_media(*make_dialect(Protocol::ng), replies);
}

TEST(NgDialect, takes_a_warning_on_delete_for_a_refusal) {
  const auto dialect = make_dialect(Protocol::ng);
  EXPECT_TRUE(dialect->removed("d6:result2:oke"));
  EXPECT_THAT(dialect->removed("d7:warning7:unknown6:result2:oke").error(), HasSubstr("unknown"));
}

}  // namespace
}  // namespace millrace::mrload
