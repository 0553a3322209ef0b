#include "access/audit.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

namespace millrace::access {
namespace {

namespace fs = std::filesystem;

// A directory of its own for each test, and what was reported.
class AuditLog : public ::testing::Test {
 protected:
  AuditLog() {
    std::string pattern = ::testing::TempDir() + "auditXXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    settings_.file = directory_ / "sub" / "audit.log";
    fs::create_directory(directory_ / "sub");
  }
  ~AuditLog() override {
    audit_.reset();
    fs::remove_all(directory_);
  }

  void open() {
    audit_.reset();
    auto opened = Audit::open(settings_, [this](const std::string& text) {
      const std::lock_guard lock{mutex_};
      reports_.push_back(text);
    });
    ASSERT_TRUE(opened.has_value()) << opened.error();
    audit_ = std::move(*opened);
  }
  std::string refused() {
    auto opened = Audit::open(settings_, [](const std::string&) {});
    return opened ? std::string{} : opened.error();
  }
  void note(std::string_view session) {
    audit_->note({.identity = "ops",
                  .peer = "unix:0",
                  .protocol = "grpc",
                  .command = "CreateSession",
                  .session = session,
                  .result = "OK",
                  .reason = {}},
                 WallTime{});
  }
  void note_and_flush(std::string_view session) {
    note(session);
    audit_->flush();
  }

  // The sessions of a file's lines, such as "a b".
  static std::string sessions_of(const fs::path& file) {
    constexpr std::string_view kKey = R"("session":")";
    std::string sessions;
    std::ifstream in{file};
    for (std::string line; std::getline(in, line);) {
      EXPECT_TRUE(line.starts_with("{\"time\":") && line.ends_with("\"result\":\"OK\"}")) << "torn: " << line;
      const auto begin = line.find(kKey) + kKey.size();
      sessions += (sessions.empty() ? "" : " ") + line.substr(begin, line.find('"', begin) - begin);
    }
    return sessions;
  }
  [[nodiscard]] std::string sessions() const { return sessions_of(settings_.file); }
  [[nodiscard]] std::string reported(std::size_t index) {
    const std::lock_guard lock{mutex_};
    return index < reports_.size() ? reports_[index] : std::string{};
  }
  std::size_t reports() {
    const std::lock_guard lock{mutex_};
    return reports_.size();
  }

  fs::path directory_;
  AuditSettings settings_;
  std::mutex mutex_;
  std::vector<std::string> reports_;
  std::unique_ptr<Audit> audit_;
};

// While it lives, files of this process end at `bytes`.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limited{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limited);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(AuditLog, without_file_and_journal_there_is_none_and_all_is_allowed) {
  settings_ = {};
  open();
  EXPECT_FALSE(audit_->enabled());
  note_and_flush("a");
  audit_->reopen();
  EXPECT_TRUE(audit_->allows_commands());
  EXPECT_EQ(audit_->lost(), 0u);
}

TEST_F(AuditLog, what_is_required_but_not_configured_is_refused_at_the_start) {
  settings_ = {.required = true};
  EXPECT_TRUE(refused().starts_with("audit.required: ")) << refused();
}

TEST_F(AuditLog, lines_are_in_order_and_only_owner_and_group_may_read_them) {
  open();
  EXPECT_TRUE(audit_->enabled());
  note("a");
  note("b");
  note_and_flush("c");
  EXPECT_EQ(sessions(), "a b c");
  EXPECT_EQ(fs::status(settings_.file).permissions() & fs::perms{0137}, fs::perms::none);
  EXPECT_EQ(reports(), 0u);
}

TEST_F(AuditLog, the_end_of_the_program_writes_what_waits_and_the_next_start_appends) {
  open();
  note("a");
  audit_.reset();
  EXPECT_EQ(sessions(), "a");
  open();
  note_and_flush("b");
  EXPECT_EQ(sessions(), "a b");
}

TEST_F(AuditLog, a_file_that_cannot_be_opened_refuses_the_start_by_name) {
  settings_.file = directory_ / "nowhere" / "audit.log";
  EXPECT_TRUE(refused().starts_with("audit.file: open " + settings_.file)) << refused();
  settings_.file = directory_;
  EXPECT_TRUE(refused().starts_with("audit.file: open ")) << refused();
}

TEST_F(AuditLog, many_threads_may_note_at_once) {
  open();
  constexpr int kThreads = 4, kEach = 500;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([this] {
        for (int j = 0; j < kEach; ++j) note("s");
        audit_->flush();
      });
    }
  }
  const auto written = sessions();
  EXPECT_EQ(std::ranges::count(written, 's'), kThreads * kEach);
  EXPECT_EQ(audit_->lost(), 0u);
}

TEST_F(AuditLog, a_file_at_its_size_is_put_aside_and_the_oldest_goes) {
  settings_.rotate_size.count = 1;  // each line fills a file
  settings_.keep = 2;
  open();
  for (const auto* session : {"a", "b", "c", "d"}) note_and_flush(session);
  EXPECT_EQ(sessions_of(settings_.file + ".1"), "d");
  EXPECT_EQ(sessions_of(settings_.file + ".2"), "c");
  EXPECT_FALSE(fs::exists(settings_.file + ".3"));
  EXPECT_EQ(fs::file_size(settings_.file), 0u);
}

TEST_F(AuditLog, files_are_about_as_long_as_they_may_be_and_no_line_is_lost_between_them) {
  settings_.rotate_size.count = 4096;
  settings_.keep = 1000;
  open();
  for (int i = 0; i < 300; ++i) note("s");
  audit_->flush();
  std::ptrdiff_t lines = 0;
  for (const auto& file : fs::directory_iterator{directory_ / "sub"}) {
    EXPECT_LT(fs::file_size(file), 4096u + 300u);
    lines += std::ranges::count(sessions_of(file), 's');
  }
  EXPECT_EQ(lines, 300);
}

TEST_F(AuditLog, a_file_that_cannot_be_put_aside_grows_on) {
  settings_.rotate_size.count = 1;
  settings_.keep = 1;
  open();
  fs::create_directories(settings_.file + ".1/in the way");
  note_and_flush("a");
  note_and_flush("b");
  EXPECT_EQ(sessions(), "a b");
  EXPECT_TRUE(reported(0).starts_with("the audit log cannot be rotated: ")) << reported(0);
  EXPECT_EQ(reports(), 1u);
  EXPECT_TRUE(audit_->allows_commands());
}

TEST_F(AuditLog, a_file_that_was_moved_away_is_begun_again) {
  open();
  note_and_flush("a");
  fs::rename(settings_.file, settings_.file + ".moved");
  audit_->reopen();
  note_and_flush("b");
  fs::remove(settings_.file);
  note_and_flush("c");
  EXPECT_EQ(sessions_of(settings_.file + ".moved"), "a");
  EXPECT_EQ(sessions(), "c") << "nobody told us that it was removed";
  EXPECT_EQ(reports(), 0u);
}

TEST_F(AuditLog, a_directory_that_vanishes_is_reported_once_and_lines_wait_until_it_is_back) {
  for (const bool required : {false, true}) {
    reports_.clear();
    settings_.required = required;
    open();
    note_and_flush("a");
    EXPECT_TRUE(audit_->allows_commands());
    fs::rename(directory_ / "sub", directory_ / "gone");
    note_and_flush("b");
    note_and_flush("c");
    EXPECT_EQ(audit_->allows_commands(), !required);
    EXPECT_EQ(reports(), 1u);
    EXPECT_TRUE(reported(0).starts_with("the audit log cannot be written: audit.file: open ")) << reported(0);
    EXPECT_EQ(reported(0).ends_with("are refused (audit.required)"), required) << reported(0);

    fs::create_directory(directory_ / "sub");
    audit_->flush();
    EXPECT_EQ(sessions(), "b c");
    EXPECT_TRUE(audit_->allows_commands());
    EXPECT_EQ(reported(1), "the audit log is written again, 0 lines are lost");
    EXPECT_EQ(audit_->lost(), 0u);
    fs::remove_all(directory_ / "gone");
  }
}

TEST_F(AuditLog, a_full_disk_tears_no_line_and_writes_none_twice) {
  open();
  note_and_flush("a");
  const auto line = fs::file_size(settings_.file);
  {
    const FileSizeLimit limit{line * 2 + line / 2};
    note("b");
    note_and_flush("c");
    note_and_flush("d");
    EXPECT_LE(fs::file_size(settings_.file), line * 2 + line / 2) << "c is begun at most";
  }
  audit_->flush();
  EXPECT_EQ(sessions(), "a b c d");
  EXPECT_EQ(reports(), 2u);
}

TEST_F(AuditLog, a_line_that_was_begun_in_a_file_that_went_away_is_whole_in_the_next_one) {
  open();
  note_and_flush("a");
  const auto line = fs::file_size(settings_.file);
  {
    const FileSizeLimit limit{line * 2 + line / 2};
    note("b");
    note_and_flush("c");
  }
  // The retry of each second may have come first: then c is whole in the first file.
  fs::rename(settings_.file, settings_.file + ".moved");
  note_and_flush("d");
  const auto after = sessions();
  EXPECT_TRUE(after == "c d" || after == "d") << after;
}

TEST_F(AuditLog, a_device_without_room_loses_lines_only_beyond_the_bound_and_counts_them) {
  settings_.file = "/dev/full";
  settings_.required = true;
  open();
  note_and_flush("a");
  EXPECT_FALSE(audit_->allows_commands());
  EXPECT_EQ(audit_->lost(), 0u);
  const std::string long_name(4000, 'x');
  constexpr auto kMore = kMaxAuditWaiting / 4000 + 10;
  for (std::size_t i = 0; i < kMore; ++i) note(long_name);
  EXPECT_GT(audit_->lost(), 10u);
  EXPECT_LT(audit_->lost(), kMore / 5);
  audit_.reset();
  EXPECT_TRUE(reported(1).ends_with("lines of the audit log could not be written before the end")) << reported(1);
}

TEST_F(AuditLog, a_flood_of_refusals_is_summed_up) {
  open();
  for (int i = 0; i < 5000; ++i) {
    audit_->note({.identity = {},
                  .peer = "192.0.2.7:1",
                  .protocol = "grpc",
                  .command = "ListSessions",
                  .session = {},
                  .result = "UNAUTHENTICATED",
                  .reason = "no",
                  .unasked = true},
                 WallTime{});
  }
  note_and_flush("a1");
  audit_.reset();
  std::ifstream file{settings_.file};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_LT(std::ranges::count(text, '\n'), 40);
  EXPECT_NE(text.find("more like this one: no"), std::string::npos);
  EXPECT_NE(text.find("\"a1\""), std::string::npos) << "what was asked for has its line";
}

TEST_F(AuditLog, the_journal_has_to_be_there) {
  settings_ = {.journal = true};
  if (::access("/run/systemd/journal/socket", W_OK) == 0) {
    open();
    note_and_flush("a");
    EXPECT_EQ(reports(), 0u);
  } else {
    EXPECT_TRUE(refused().starts_with("audit.journal: ")) << refused();
  }
}

}  // namespace
}  // namespace millrace::access
