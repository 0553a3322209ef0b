#include "access/audit.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "access/audit_file.hpp"
#include "access/audit_line.hpp"
#include "access/refusal_sums.hpp"

namespace millrace::access {
namespace {

constexpr std::size_t kMaxChunk = 64U << 10U;  // bytes of one write, unless a single line is longer
constexpr const char* kJournalSocket = "/run/systemd/journal/socket";

// libsystemd drops what it is given in silence where there is no journal.
std::expected<void, SysError> find_journal() {
  if (::access(kJournalSocket, W_OK) != 0) return std::unexpected{sys_error(kJournalSocket)};
  return {};
}

std::expected<void, SysError> send_to_journal(const AuditRecord& record) {
  auto fields = journal_fields(record);
  std::vector<iovec> parts;
  for (auto& field : fields) parts.push_back({.iov_base = field.data(), .iov_len = field.size()});
  const int sent = ::sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
  if (sent < 0) return std::unexpected{SysError{.code = -sent, .operation = "send to the journal"}};
  return {};
}

// The writer's thread gets no signal: those are the control thread's, and a file that reaches RLIMIT_FSIZE is an error
// to be reported and not the end of the process.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

class Nothing final : public Audit {
 public:
  [[nodiscard]] bool enabled() const override { return false; }
  [[nodiscard]] bool allows_commands() const override { return true; }
  void note(const AuditEntry&, WallTime) override {}
  void reopen() override {}
  void flush() override {}
  [[nodiscard]] std::uint64_t lost() const override { return 0; }
};

class Writer final : public Audit {
 public:
  using Report = std::function<void(const std::string&)>;
  Writer(AuditSettings settings, Report report)
      : settings_{std::move(settings)}, report_{std::move(report)}, file_{settings_} {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() override;

  std::expected<void, std::string> start();

  [[nodiscard]] bool enabled() const override { return true; }
  [[nodiscard]] bool allows_commands() const override;
  void note(const AuditEntry& entry, WallTime at) override;
  void reopen() override;
  void flush() override;
  [[nodiscard]] std::uint64_t lost() const override { return lost_; }

 private:
  void put(AuditRecord record);
  void run();
  void pass();
  void give_up_the_rest();
  bool take_chunk();
  std::expected<void, std::string> check();
  std::expected<void, std::string> write_chunk();
  void keep_files_short();
  void failed(const std::string& reason);
  void works();

  const AuditSettings settings_;
  const Report report_;

  std::mutex mutex_;
  std::condition_variable work_, done_;
  std::deque<AuditRecord> waiting_;
  std::size_t waiting_bytes_ = 0;
  RefusalSums refused_;
  std::uint64_t asked_ = 0, passed_ = 0;  // flushes
  bool reopen_ = false, stop_ = false;

  std::atomic<bool> failing_ = false, full_ = false;
  std::atomic<std::uint64_t> lost_ = 0;

  // The thread's own.
  AuditFile file_;
  std::vector<AuditRecord> chunk_;
  std::string text_;          // chunk_ for the file
  std::size_t journaled_ = 0; // of chunk_
  std::uint64_t lost_told_ = 0;
  bool rotation_fails_ = false;
  std::thread thread_;
};

std::expected<void, std::string> Writer::start() {
  if (const auto ready = check(); !ready) return ready;
  const SignalsBlocked for_the_thread;
  thread_ = std::thread{[this] { run(); }};
  return {};
}

Writer::~Writer() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock{mutex_};
    stop_ = true;
  }
  work_.notify_one();
  thread_.join();
}

bool Writer::allows_commands() const { return !settings_.required || !(failing_ || full_); }

void Writer::note(const AuditEntry& entry, WallTime at) {
  {
    const std::lock_guard lock{mutex_};
    if (entry.unasked && !refused_.take(entry, read_clocks().mono, at)) return;
    put({entry, at});
  }
  // While writing fails the next attempt is due in a second, whatever is noted until then.
  if (!failing_) work_.notify_one();
}

// The lock is held.
void Writer::put(AuditRecord record) {
  full_ = waiting_bytes_ + record.size() > kMaxAuditWaiting;
  if (full_) {
    ++lost_;
    return;
  }
  waiting_bytes_ += record.size();
  waiting_.push_back(std::move(record));
}

void Writer::reopen() {
  {
    const std::lock_guard lock{mutex_};
    reopen_ = true;
  }
  work_.notify_one();
}

void Writer::flush() {
  std::unique_lock lock{mutex_};
  const auto mine = ++asked_;
  work_.notify_one();
  done_.wait(lock, [&] { return passed_ >= mine; });
}

void Writer::run() {
  std::unique_lock lock{mutex_};
  for (;;) {
    work_.wait_for(lock, kAuditRetry,
                   [this] { return stop_ || reopen_ || asked_ > passed_ || (!waiting_.empty() && !failing_); });
    const auto asked = asked_;
    const bool last = stop_;
    const auto now = read_clocks();
    for (auto& sum : refused_.due(now.mono, now.wall, last)) put(std::move(sum));
    if (std::exchange(reopen_, false)) file_.close();
    lock.unlock();
    pass();
    lock.lock();
    passed_ = asked;
    done_.notify_all();
    if (last) return give_up_the_rest();
  }
}

// At the end, when even the last attempt failed. Nobody else is here any more.
void Writer::give_up_the_rest() {
  const auto rest = waiting_.size() + chunk_.size();
  lost_ += rest;
  if (rest > 0) report_(fmt::format("{} lines of the audit log could not be written before the end", rest));
}

// Once round: all that waits, or as far as it goes.
void Writer::pass() {
  if (const auto ready = check(); !ready) return failed(ready.error());
  while (!chunk_.empty() || take_chunk()) {
    if (const auto written = write_chunk(); !written) return failed(written.error());
    keep_files_short();
  }
  works();
}

// What waits moves here in pieces, so that the bound of the queue holds for (nearly) all that is kept.
bool Writer::take_chunk() {
  const auto most = settings_.file.empty() ? kMaxChunk : std::min<std::uint64_t>(kMaxChunk, file_.room());
  std::size_t bytes = 0;
  {
    const std::lock_guard lock{mutex_};
    while (!waiting_.empty() && (chunk_.empty() || bytes < most)) {
      bytes += waiting_.front().size();
      chunk_.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    waiting_bytes_ -= bytes;
    full_ = false;
  }
  if (settings_.file.empty()) return !chunk_.empty();
  for (const auto& record : chunk_) text_ += json_line(record);
  return !chunk_.empty();
}

std::expected<void, std::string> Writer::check() {
  if (settings_.journal) {
    if (const auto found = find_journal(); !found) return std::unexpected{"audit.journal: " + found.error().message()};
  }
  if (settings_.file.empty()) return {};
  if (const auto open = file_.open(); !open) return std::unexpected{"audit.file: " + open.error().message()};
  return {};
}

std::expected<void, std::string> Writer::write_chunk() {
  for (; settings_.journal && journaled_ < chunk_.size(); ++journaled_) {
    const auto sent = send_to_journal(chunk_[journaled_]);
    if (!sent) return std::unexpected{"audit.journal: " + sent.error().message()};
  }
  const auto written = settings_.file.empty() ? std::expected<void, SysError>{} : file_.append(text_);
  if (!written) return std::unexpected{"audit.file: " + written.error().message()};
  chunk_.clear();
  text_.clear();
  journaled_ = 0;
  return {};
}

// A file that cannot be put aside grows on: that is better than to lose lines.
void Writer::keep_files_short() {
  if (settings_.file.empty()) return;
  const auto rotated = file_.rotate_if_full();
  if (!rotated && !rotation_fails_) report_("the audit log cannot be rotated: " + rotated.error().message());
  rotation_fails_ = !rotated;
}

void Writer::failed(const std::string& reason) {
  if (failing_.exchange(true)) return;
  report_(fmt::format("the audit log cannot be written: {}{}", reason,
                      settings_.required ? "; commands that change something are refused (audit.required)" : ""));
}

void Writer::works() {
  const auto lost = lost_ - lost_told_;
  lost_told_ += lost;
  if (failing_.exchange(false)) {
    report_(fmt::format("the audit log is written again, {} lines are lost", lost));
  } else if (lost > 0) {
    report_(fmt::format("{} lines of the audit log are lost: they came faster than they could be written", lost));
  }
}

}  // namespace

std::expected<std::unique_ptr<Audit>, std::string> Audit::open(const AuditSettings& settings,
                                                               std::function<void(const std::string&)> report) {
  if (settings.file.empty() && !settings.journal) {
    if (settings.required) {
      return std::unexpected{std::string{"audit.required: give audit.file or audit.journal, or nothing is written"}};
    }
    return std::make_unique<Nothing>();
  }
  auto writer = std::make_unique<Writer>(settings, std::move(report));
  if (const auto started = writer->start(); !started) return std::unexpected{started.error()};
  return writer;
}

}  // namespace millrace::access
