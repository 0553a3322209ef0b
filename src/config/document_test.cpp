#include "config/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace millrace::config {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content) {
    std::string pattern = (std::filesystem::temp_directory_path() / "millrace-config-XXXXXX").string();
    const int fd = ::mkstemp(pattern.data());
    EXPECT_GE(fd, 0);
    path_ = pattern;
    std::ofstream{path_, std::ios::binary} << content;
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::filesystem::remove(path_); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST(ConfigDocument, values_know_the_line_that_they_are_on) {
  const TemporaryFile file{"# comment\n[b]\nx = 1\n[a]\n\ny = [ 2,\n 3 ]\n"};
  const auto document = Document::from_file(file.path());
  ASSERT_TRUE(document) << document.error().to_string();
  const Value* y = document->root().find("a")->find("y");
  EXPECT_EQ(document->root().find("b")->find("x")->where.line, 3u);
  EXPECT_EQ(y->where.line, 6u);
  EXPECT_EQ(y->items[1].where.line, 7u);
  EXPECT_EQ(y->where.to_string(), file.path().string() + ":6");
  EXPECT_EQ(document->root().entries.front().first, "b") << "in the order of the file";
}

TEST(ConfigDocument, a_file_that_cannot_be_read_is_a_mistake_that_names_it) {
  const auto missing = Document::from_file("/nonexistent/m.toml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().to_string(), "/nonexistent/m.toml: cannot be read: No such file or directory");
  EXPECT_THAT(Document::from_file("/").error().to_string(), HasSubstr("Is a directory"));
  const TemporaryFile huge{std::string((1 << 20) + 1, '#')};
  EXPECT_THAT(Document::from_file(huge.path()).error().to_string(), HasSubstr("File too large"));
}

TEST(ConfigDocument, broken_toml_is_a_mistake_with_its_line) {
  struct Case {
    const char* toml;
    const char* line;
  };
  const Case cases[] = {{"[a]\nx = \n", "m.toml:2: no TOML"},       {"[a\n", "m.toml:1: no TOML"},
                        {"x = 1\nx = 2\n", "m.toml:2: no TOML"},    {"[a]\n[a]\n", "m.toml:2: no TOML"},
                        {"x = \"open\n", "m.toml:1: no TOML"},      {"x = 99999999999999999999\n", "m.toml:1: no TOML"},
                        {"\n\nx = \"\xff\"\n", "m.toml:3: no TOML"}};
  for (const Case& c : cases) {
    const auto document = Document::from_text(c.toml, "m.toml");
    ASSERT_FALSE(document) << c.toml;
    EXPECT_THAT(document.error().to_string(), StartsWith(c.line)) << c.toml;
  }
}

TEST(ConfigDocument, an_override_without_its_form_is_refused_and_changes_nothing) {
  struct Case {
    const char* set;
    const char* said;
  };
  const Case cases[] = {{"", "section.key=value"},       {"a.b", "section.key=value"},  {"=5", "section.key=value"},
                        {"list=5", "section.key=value"}, {"list.x=5", "several times"}, {"a.b=[1", "is no TOML"}};
  auto document = *Document::from_text("[[list]]\nx = 1\n", "m.toml");
  const auto before = document.root().to_toml();
  for (const Case& c : cases) {
    const auto mistake = document.set(c.set);
    ASSERT_TRUE(mistake) << c.set;
    EXPECT_THAT(mistake->to_string(), StartsWith("--set")) << c.set;
    EXPECT_THAT(mistake->to_string(), HasSubstr(c.said)) << c.set;
    EXPECT_EQ(document.root().to_toml(), before) << c.set;
  }
}

TEST(ConfigValue, text_is_quoted_so_that_it_reads_back) {
  const std::string hard = "a\"b\\c\n\x7f é";
  const auto document = Document::from_text("x = " + quote(hard) + "\n", "m.toml");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().find("x")->text, hard);
}

}  // namespace
}  // namespace millrace::config
