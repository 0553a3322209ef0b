#include "config/read.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "config/manual.hpp"

namespace millrace::config {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

enum class Order : std::uint8_t { random, sequential };

struct Fraction {
  int above = 1, below = 2;
};

}  // namespace

template <>
struct Text<Fraction> {
  static constexpr std::string_view kind = "a fraction such as 1/2";
  static std::expected<Fraction, std::string> parse(std::string_view text) {
    if (text == "1/2") return Fraction{};
    if (text == "3/4") return Fraction{3, 4};
    return std::unexpected{"'" + std::string{text} + "' has no slash"};
  }
  static std::string print(const Fraction& value) {
    return std::to_string(value.above) + "/" + std::to_string(value.below);
  }
};

namespace {

struct Tone {
  bool enabled = true;
  std::uint8_t tos = 184;
  std::int32_t offset = -5;
  std::string label = "x";
  std::string word = "red";
  std::vector<std::string> names;
  std::vector<std::uint16_t> ports{5060};
  std::chrono::milliseconds min_tone{40};
  std::chrono::seconds rest{0};
  Bytes buffer{65536};
  Order order = Order::random;
  Fraction part;
  static constexpr auto schema =
      section("tone", "How tones are found", field("enabled", &Tone::enabled, "", "Whether any are", live),
              field("tos", &Tone::tos, "", "Marking"), field("offset", &Tone::offset, "-10..10", "Shift"),
              field("label", &Tone::label, kNotEmpty, "Name"), field("word", &Tone::word, "red|green", "Colour", live),
              field("names", &Tone::names, "", "Names"), field("ports", &Tone::ports, "1..", "Ports"),
              field("min_tone", &Tone::min_tone, "10ms..500ms", "Shortest"),
              field("rest", &Tone::rest, "0s|1m..2h", "Rest, 0s for none"),
              field("buffer", &Tone::buffer, "1KiB..1GiB", "Size"),
              field("order", &Tone::order, "random|sequential", "Order"), field("part", &Tone::part, "", "Part"));
};

struct Place {
  std::string name;
  std::vector<std::string> addresses;
  static constexpr auto schema = repeated("place", "Where", field("name", &Place::name, kNotEmpty, "What it is called"),
                                          field("addresses", &Place::addresses, "", "Its addresses"));
};

const Sections& sections() {
  static const Sections list{describe(Tone::schema), describe(Place::schema)};
  return list;
}

Document parse(std::string_view toml) {
  auto document = Document::from_text(toml, "m.toml");
  EXPECT_TRUE(document.has_value()) << document.error().to_string();
  return document ? *document : Document{};
}

std::vector<std::string> mistakes_of(const Document& document) {
  std::vector<std::string> lines;
  if (const auto read = read_all(document, sections()); !read) {
    for (const Mistake& mistake : read.error()) lines.push_back(mistake.to_string());
  }
  return lines;
}

TEST(ConfigRead, an_empty_document_gives_the_defaults) {
  const auto tone = read(Document{}, Tone::schema);
  ASSERT_TRUE(tone);
  EXPECT_EQ(tone->min_tone, 40ms);
  EXPECT_EQ(tone->tos, 184);
  EXPECT_TRUE(read(Document{}, Place::schema)->empty());
}

TEST(ConfigRead, every_type_is_read_from_a_file) {
  const auto tone = read(parse(R"([tone]
enabled = false
tos = 0
offset = -10
label = "a \"b\""
word = "green"
names = ["one", "two, three"]
ports = [1, 65535]
min_tone = "500ms"
rest = 3600
buffer = "2MiB"
order = "sequential"
part = "3/4"
)"),
                         Tone::schema);
  ASSERT_TRUE(tone) << tone.error().front().to_string();
  EXPECT_FALSE(tone->enabled);
  EXPECT_EQ(tone->tos, 0);
  EXPECT_EQ(tone->offset, -10);
  EXPECT_EQ(tone->label, "a \"b\"");
  EXPECT_EQ(tone->word, "green");
  EXPECT_THAT(tone->names, ElementsAre("one", "two, three"));
  EXPECT_THAT(tone->ports, ElementsAre(1, 65535));
  EXPECT_EQ(tone->min_tone, 500ms);
  EXPECT_EQ(tone->rest, 1h) << "a plain number counts the member's unit";
  EXPECT_EQ(tone->buffer.count, 2u << 20);
  EXPECT_EQ(tone->order, Order::sequential);
  EXPECT_EQ(tone->part.below, 4);
}

TEST(ConfigRead, every_type_is_read_from_the_command_line_and_the_last_one_counts) {
  auto document = parse("[tone]\nmin_tone = \"20ms\"\n");
  for (const auto* set :
       {"tone.enabled=false", "tone.offset=7", "tone.label=a=b", "tone.names=one, two", "tone.ports=[80, 443]",
        "tone.min_tone=30ms", "tone.min_tone=50", "tone.rest=1h30m", "tone.buffer=4096", "tone.order=sequential",
        R"(place=[{name="lan", addresses=["10.0.0.1"]}])"}) {
    const auto mistake = document.set(set);
    EXPECT_FALSE(mistake) << mistake->to_string();
  }
  const auto tone = read(document, Tone::schema);
  ASSERT_TRUE(tone) << tone.error().front().to_string();
  EXPECT_FALSE(tone->enabled);
  EXPECT_EQ(tone->offset, 7);
  EXPECT_EQ(tone->label, "a=b");
  EXPECT_THAT(tone->names, ElementsAre("one", "two"));
  EXPECT_THAT(tone->ports, ElementsAre(80, 443));
  EXPECT_EQ(tone->min_tone, 50ms);
  EXPECT_EQ(tone->rest, 90min);
  EXPECT_EQ(tone->buffer.count, 4096u);
  EXPECT_EQ(tone->order, Order::sequential);
  const auto places = read(document, Place::schema);
  ASSERT_TRUE(places);
  ASSERT_EQ(places->size(), 1u);
  EXPECT_EQ(places->front().name, "lan");
}

TEST(ConfigRead, a_mistake_names_the_line_the_key_what_is_wrong_and_what_is_allowed) {
  struct Case {
    const char* line;
    const char* said;
  };
  const Case cases[] = {
      {"min_tone = \"5ms\"", "m.toml:2: tone.min_tone: \"5ms\" is out of range; allowed: a duration, 10ms..500ms"},
      {"min_tone = \"5\"", "out of range"},
      {"min_tone = \"20 ms\"", "\"20 ms\" is not a duration"},
      {"min_tone = \"ms\"", "\"ms\" is not a duration"},
      {"min_tone = 1.5", "1.5 does not fit"},
      {"min_tone = \"10001us\"", "\"10001us\" is finer than \"1ms\""},
      {"min_tone = 9223372036854775807", "out of range"},
      {"rest = \"30s\"", "\"30s\" is out of range; allowed: a duration, 0s|1m..2h"},
      {"tos = 256", "256 is out of range; allowed: a whole number"},
      {"tos = \"184\"", "\"184\" is text"},
      {"offset = -11", "-11 is out of range; allowed: a whole number, -10..10"},
      {"enabled = 1", "1 does not fit; allowed: true or false"},
      {"enabled = \"true\"", "\"true\" is text"},
      {"label = \"\"", "is empty; allowed: text, not empty"},
      {"label = 5", "5 does not fit"},
      {"word = \"blue\"", "\"blue\" is none of them; allowed: text, red|green"},
      {"order = \"up\"", "\"up\" is none of them; allowed: a word, random|sequential"},
      {"order = 1", "1 does not fit"},
      {"names = \"one\"", "\"one\" is no list"},
      {"names = [1]", "1 does not fit; allowed: a list, each text"},
      {"ports = [0]", "0 is out of range; allowed: a list, each a whole number, 1.."},
      {"buffer = \"1KB\"", "\"1KB\" is not a size"},
      {"part = \"half\"", "'half' has no slash; allowed: a fraction such as 1/2"},
      {"part = { a = 1 }", "a table is written here"},
      {"min_tome = 40", "tone.min_tome: is no setting; did you mean min_tone?"},
      {"colour = 40", "tone.colour: is no setting"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(mistakes_of(parse("[tone]\n" + std::string{c.line})), ElementsAre(HasSubstr(c.said))) << c.line;
  }
}

TEST(ConfigRead, all_mistakes_are_collected_in_the_order_of_the_file) {
  EXPECT_THAT(mistakes_of(parse("[tome]\n[tone]\nword = 1\nlabel = \"\"\n[place]\nname = \"a\"\n")),
              ElementsAre("m.toml:1: tome: is no section; did you mean tone?", HasSubstr("m.toml:3: tone.word"),
                          HasSubstr("m.toml:4: tone.label"),
                          "m.toml:5: place: is not written as a section; allowed: [[place]]"));
  EXPECT_THAT(mistakes_of(parse("tone = 4\n")), ElementsAre(HasSubstr("allowed: [tone]")));
  EXPECT_THAT(mistakes_of(parse("[[tone]]\n")), ElementsAre(HasSubstr("allowed: [tone]")));
  EXPECT_THAT(mistakes_of(parse("place = [1]\n")), ElementsAre(HasSubstr("allowed: [[place]]")));
  EXPECT_THAT(mistakes_of(parse("[[place]]\nname = \"\"\nnome = 1\n")),
              ElementsAre(HasSubstr("m.toml:2: place.name"), HasSubstr("did you mean name?")));
}

TEST(ConfigRead, a_mistake_on_the_command_line_says_so) {
  auto document = Document{};
  EXPECT_FALSE(document.set("tone.tos=300"));
  EXPECT_THAT(mistakes_of(document), ElementsAre("--set: tone.tos: 300 is out of range; allowed: a whole number"));
}

TEST(ConfigReload, differences_say_what_changed_and_whether_it_can_change_now) {
  const auto before = *read_all(parse("[tone]\ntos = 1\n[[place]]\nname = \"a\"\n"), sections());
  const auto after = *read_all(parse("[tone]\ntos = 2\nword = \"green\"\n"), sections());
  const auto found = differences(sections(), before, after);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].key, "tone.tos");
  EXPECT_EQ(found[0].reload, Reload::restart);
  EXPECT_EQ(found[1].key, "tone.word");
  EXPECT_EQ(found[1].before, "\"red\"");
  EXPECT_EQ(found[1].after, "\"green\"");
  EXPECT_EQ(found[1].reload, Reload::live);
  EXPECT_EQ(found[2].key, "place");
  EXPECT_EQ(found[2].after, "none");
  EXPECT_THAT(differences(sections(), before, before), IsEmpty());
}

TEST(ConfigReload, only_live_settings_are_taken) {
  const auto before = *read_all(parse("[tone]\ntos = 1\n[[place]]\nname = \"a\"\n"), sections());
  const auto after = *read_all(parse("[tone]\ntos = 2\nword = \"green\"\n"), sections());
  const auto merged = with_live(sections(), before, after);
  EXPECT_EQ(merged.get(Tone::schema).tos, 1);
  EXPECT_EQ(merged.get(Tone::schema).word, "green");
  EXPECT_EQ(merged.get(Place::schema).size(), 1u);
}

TEST(ConfigNearest, a_slip_is_recognised_and_another_word_is_not) {
  EXPECT_EQ(nearest("reciev_buffer", {"receive_buffer", "order"}), "receive_buffer");
  EXPECT_EQ(nearest("colour", {"receive_buffer", "order"}), "");
  EXPECT_EQ(nearest("", {}), "");
}

}  // namespace
}  // namespace millrace::config
