#include "config/manual.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace millrace::config {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

struct Tone {
  std::chrono::milliseconds shortest{40};
  std::string word = "red";
  static constexpr auto schema =
      section("tone", "How tones are found", field("shortest", &Tone::shortest, "10ms..500ms", "Shortest tone", live),
              field("word", &Tone::word, "red|green", "Colour"));
};
struct Place {
  std::string name = "lan";
  static constexpr auto schema = repeated("place", "Where", field("name", &Place::name, kNotEmpty, "Its name"));
};

const Sections& sections() {
  static const Sections list{describe(Tone::schema), describe(Place::schema)};
  return list;
}

TEST(ConfigManual, the_reference_page_has_a_row_for_each_setting) {
  const auto page = reference_page(sections());
  EXPECT_THAT(page, HasSubstr("## `[tone]`\n\nHow tones are found.\n"));
  EXPECT_THAT(page, HasSubstr("| `shortest` | `\"40ms\"` | a duration, 10ms..500ms | yes | Shortest tone. |"));
  EXPECT_THAT(page, HasSubstr("| `word` | `\"red\"` | text, red\\|green | no | Colour. |"));
  EXPECT_THAT(page, HasSubstr("## `[[place]]`"));
}

TEST(ConfigManual, help_has_a_line_for_each_setting) {
  EXPECT_THAT(help_text(sections()),
              HasSubstr("  tone.shortest  Shortest tone (a duration, 10ms..500ms; default \"40ms\")\n"));
}

TEST(ConfigManual, the_effective_configuration_reads_back_as_itself) {
  const auto document =
      Document::from_text("[tone]\nshortest = 100\n[[place]]\nname = \"a\"\n[[place]]\nname = \"b\"\n", "m.toml");
  const auto settings = read_all(*document, sections());
  ASSERT_TRUE(settings);
  const auto text = effective(sections(), *settings);
  EXPECT_EQ(text,
            "[tone]\nshortest = \"100ms\"\nword = \"red\"\n\n[[place]]\nname = \"a\"\n\n[[place]]\nname = \"b\"\n");
  const auto again = read_all(*Document::from_text(text, "dump"), sections());
  ASSERT_TRUE(again);
  EXPECT_THAT(differences(sections(), *settings, *again), IsEmpty());
}

enum class Order : std::uint8_t { random, sequential, third };
struct Faulty {
  int silent = 1, outside = 11, twice = 1, shouting = 1, confused = 1, stopped = 1;
  std::string same;
  Order unnamed = Order::third;
  static constexpr auto schema =
      section("faulty", field("silent", &Faulty::silent, "", ""), field("outside", &Faulty::outside, "1..10", "Help"),
              field("twice", &Faulty::twice, "", "Help"), field("twice", &Faulty::twice, "", "Help"),
              field("Shouting", &Faulty::shouting, "", "Help"), field("confused", &Faulty::confused, "10..1", "Help"),
              field("stopped", &Faulty::stopped, "", "Help."), field("same", &Faulty::same, "a|a", "Help"),
              field("unnamed", &Faulty::unnamed, "random|sequential", "Help"));
};

TEST(ConfigManual, faults_of_a_declaration_are_found) {
  EXPECT_THAT(declaration_faults(sections()), IsEmpty());
  EXPECT_THAT(declaration_faults({describe(Faulty::schema)}),
              UnorderedElementsAre("faulty.silent: has no help", "faulty.outside: the default 11: 11 is out of range",
                                   "faulty.twice: declared twice", "faulty.Shouting: the key is not snake_case",
                                   "faulty.confused: cannot understand '10..1'",
                                   "faulty.stopped: the help ends with a full stop; the page adds it",
                                   "faulty.same: cannot understand 'a|a'", HasSubstr("faulty.unnamed: the default 2")));
}

}  // namespace
}  // namespace millrace::config
