#include "base/byte_reader.hpp"

#include <gtest/gtest.h>

#include "base/testing.hpp"

namespace millrace {
namespace {

TEST(ByteReader, reads_numbers_in_network_order) {
  const auto bytes = testing::from_hex("01 0203 040506 0708090a 0b0c0d0e0f101112 ff");
  ConstByteReader in{bytes};
  EXPECT_EQ(in.u8(), 0x01);
  EXPECT_EQ(in.u16(), 0x0203);
  EXPECT_EQ(in.u24(), 0x040506u);
  EXPECT_EQ(in.u32(), 0x0708090au);
  EXPECT_EQ(in.u64(), 0x0b0c0d0e0f101112u);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.left(), 1u);
  EXPECT_EQ(in.rest()[0], std::byte{0xff});
}

TEST(ByteReader, remembers_its_first_overrun_and_reads_zero_from_there_on) {
  struct Case {
    const char* name;
    std::size_t bytes;
    std::uint64_t (*read)(ConstByteReader&);
  };
  const Case cases[] = {
      {"u8", 0, [](ConstByteReader& in) -> std::uint64_t { return in.u8(); }},
      {"u16", 1, [](ConstByteReader& in) -> std::uint64_t { return in.u16(); }},
      {"u24", 2, [](ConstByteReader& in) -> std::uint64_t { return in.u24(); }},
      {"u32", 3, [](ConstByteReader& in) -> std::uint64_t { return in.u32(); }},
      {"u64 without its upper half", 3, [](ConstByteReader& in) { return in.u64(); }},
      {"take", 3, [](ConstByteReader& in) -> std::uint64_t { return in.take(4).size(); }},
      {"skip", 3,
       [](ConstByteReader& in) -> std::uint64_t {
         in.skip(4);
         return 0;
       }},
  };
  for (const Case& c : cases) {
    const std::vector<std::byte> bytes(c.bytes, std::byte{0xff});
    ConstByteReader in{bytes};
    EXPECT_EQ(c.read(in), 0u) << c.name;
    EXPECT_FALSE(in.ok()) << c.name;
    EXPECT_EQ(in.left(), 0u) << c.name;
    EXPECT_EQ(in.u8(), 0) << c.name;
    EXPECT_FALSE(in.ok()) << c.name;
  }
}

TEST(ByteReader, takes_exactly_what_is_there_and_nothing_of_nothing) {
  const auto bytes = testing::from_hex("0102");
  ConstByteReader in{bytes};
  EXPECT_EQ(in.take(0).size(), 0u);
  EXPECT_EQ(in.take(2).size(), 2u);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.left(), 0u);
  in.skip(0);
  EXPECT_TRUE(in.ok());
  in.skip(static_cast<std::size_t>(-1));
  EXPECT_FALSE(in.ok()) << "a length off the wire may be huge";
}

TEST(ByteReader, hands_out_writable_bytes_when_it_reads_such) {
  auto bytes = testing::from_hex("010203");
  ByteReader in{bytes};
  in.skip(1);
  in.take(1)[0] = std::byte{9};
  EXPECT_EQ(bytes[1], std::byte{9});
}

}  // namespace
}  // namespace millrace
