#include "app/process.hpp"

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace millrace::app {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kNobodyHasIt = 3'999'999'999;

TEST(Identity, a_user_brings_a_group_along_however_it_was_written) {
  const passwd* root = ::getpwuid(0);
  ASSERT_NE(root, nullptr);
  for (const std::string& user : {std::string{root->pw_name}, std::string{"0"}}) {
    const auto identity = find_identity(user, {});
    ASSERT_TRUE(identity) << user;
    EXPECT_EQ(identity->user, uid_t{0}) << user;
    EXPECT_EQ(identity->group, root->pw_gid) << user;
  }
  EXPECT_EQ(find_identity("0", "12345")->group, gid_t{12345});
}

TEST(Identity, a_number_that_no_user_has_needs_a_group_or_it_would_stay_in_those_of_root) {
  const auto number = fmt::format("{}", kNobodyHasIt);
  ASSERT_EQ(::getpwuid(kNobodyHasIt), nullptr);
  const auto alone = find_identity(number, {});
  ASSERT_FALSE(alone);
  EXPECT_NE(alone.error().find(number), std::string::npos) << alone.error();
  const auto with_group = find_identity(number, "12345");
  ASSERT_TRUE(with_group);
  EXPECT_EQ(with_group->user, kNobodyHasIt);
  EXPECT_EQ(with_group->group, gid_t{12345});
}

TEST(Identity, names_that_are_not_there_are_refused_and_none_asks_for_nothing) {
  EXPECT_FALSE(find_identity("no-such-user-here", {}));
  EXPECT_FALSE(find_identity({}, "no-such-group-here"));
  const auto none = find_identity({}, {});
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->user || none->group);
}

class PidFileTest : public ::testing::Test {
 protected:
  PidFileTest() { fs::create_directory(folder_); }
  ~PidFileTest() override { fs::remove_all(folder_); }
  const fs::path folder_ = fs::path{::testing::TempDir()} / fmt::format("pid_file_test_{}", ::getpid());
};

TEST_F(PidFileTest, holds_the_number_while_the_object_lives) {
  const auto path = folder_ / "pid";
  {
    const auto file = PidFile::create(path);
    ASSERT_TRUE(file) << file.error().message();
    int number = 0;
    std::ifstream{path} >> number;
    EXPECT_EQ(number, ::getpid());
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(PidFileTest, what_could_not_be_written_is_left_alone) {
  const auto loop = folder_ / "loop";
  fs::create_symlink(loop, loop);
  EXPECT_FALSE(PidFile::create(loop));
  EXPECT_TRUE(fs::is_symlink(loop)) << "it was there before us";
  EXPECT_TRUE(PidFile::create({}));
  EXPECT_TRUE(PidFile::create("/dev/null"));
  EXPECT_TRUE(fs::exists("/dev/null"));
}

}  // namespace
}  // namespace millrace::app
