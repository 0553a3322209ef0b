#include "mrload/bencode.hpp"

#include <gtest/gtest.h>

#include <array>

namespace millrace::mrload::bencode {
namespace {

TEST(Bencode, writes_what_ng_reads) {
  const auto text =
      Dictionary{}.add("command", "offer").add_list("replace", {"origin", "sdp-version"}).add("sdp", "").text();
  EXPECT_EQ(text, "d7:command5:offer7:replacel6:origin11:sdp-versione3:sdp0:e");
}

TEST(Bencode, reads_the_strings_of_a_reply_and_skips_the_rest) {
  const auto reply = top_level_strings("d7:createdi1700000000e4:tagsd1:ad6:mediaslleeee6:result2:ok3:sdp5:v=0\r\neXYZ");
  ASSERT_TRUE(reply);
  EXPECT_EQ(find(*reply, "result"), "ok");
  EXPECT_EQ(find(*reply, "sdp"), "v=0\r\n");
  EXPECT_EQ(find(*reply, "created"), "");
}

TEST(Bencode, refuses_what_is_cut_or_crooked) {
  const std::array<std::string, 12> bad{"",          "i1e",
                                        "d",         "d6:result2:ok",
                                        "d6:result", "d6:result9:oke",
                                        "d:e",       "d6:resultxe",
                                        "d1:ai1xee", "d1:a99999999999:e",
                                        "di1e1:ae",  "d1:a" + std::string(100, 'l') + std::string(101, 'e')};
  for (const auto& text : bad) EXPECT_FALSE(top_level_strings(text)) << text;
}

}  // namespace
}  // namespace millrace::mrload::bencode
