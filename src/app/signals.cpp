#include "app/signals.hpp"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdlib>
#include <cstring>
#include <span>

namespace millrace::app {
namespace {

struct Row {
  int signal;
  Meaning meaning;
};
constexpr std::array kMillrace{Row{SIGTERM, Meaning::stop}, Row{SIGINT, Meaning::stop}, Row{SIGUSR1, Meaning::drain},
                               Row{SIGHUP, Meaning::reload}};
constexpr std::array kRtpproxy{Row{SIGTERM, Meaning::stop}, Row{SIGINT, Meaning::stop},  Row{SIGUSR1, Meaning::stop},
                               Row{SIGUSR2, Meaning::stop}, Row{SIGPROF, Meaning::stop}, Row{SIGVTALRM, Meaning::stop},
                               Row{SIGXCPU, Meaning::stop}, Row{SIGXFSZ, Meaning::stop}, Row{SIGHUP, Meaning::drain}};
constexpr std::array kFatal{SIGQUIT, SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};

std::span<const Row> rows_of(SignalTable table) {
  return table == SignalTable::millrace ? std::span<const Row>{kMillrace} : std::span<const Row>{kRtpproxy};
}

// Only what a signal handler may call. SA_RESETHAND has put the default action back: raising again takes it.
void say_and_die(int signal) {
  const char* name = ::sigabbrev_np(signal);
  constexpr char kBefore[] = "CRIT:GLOBAL: ended by signal SIG";
  (void)!::write(STDERR_FILENO, kBefore, sizeof kBefore - 1);
  if (name != nullptr) (void)!::write(STDERR_FILENO, name, std::strlen(name));
  (void)!::write(STDERR_FILENO, "\n", 1);
  (void)::raise(signal);
}

[[noreturn]] void exit_at_once(int signal) { ::_exit(128 + signal); }

}  // namespace

void prepare_signals() {
  (void)::signal(SIGPIPE, SIG_IGN);
  struct sigaction action{};
  action.sa_handler = say_and_die;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  for (const int signal : kFatal) (void)::sigaction(signal, &action, nullptr);
}

struct Signals::State {
  State(boost::asio::io_context& io, SignalTable which, std::function<void(Meaning, int)> then)
      : set{io}, table{which}, on_meaning{std::move(then)} {
    for (const Row& row : rows_of(table)) set.add(row.signal);
    wait();
  }

  void wait() {
    set.async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      for (const Row& row : rows_of(table)) {
        if (row.signal == signal) act(row);
      }
      wait();
    });
  }

  void act(const Row& row) {
    if (row.meaning == Meaning::stop && table == SignalTable::rtpproxy) hurry_from_now_on();
    on_meaning(row.meaning, row.signal);
  }

  // Nobody waits for the loop any more: from here a signal acts by itself.
  void hurry_from_now_on() {
    set.clear();
    for (const Row& row : rows_of(table)) {
      (void)::signal(row.signal, row.meaning == Meaning::stop ? exit_at_once : SIG_IGN);
    }
  }

  boost::asio::signal_set set;
  SignalTable table;
  std::function<void(Meaning, int)> on_meaning;
};

Signals::Signals(boost::asio::io_context& io, SignalTable table, std::function<void(Meaning, int)> on_meaning)
    : state_{std::make_unique<State>(io, table, std::move(on_meaning))} {}

// Asio puts the default actions back, and a stop signal that comes while the program is ending already must not turn
// a clean exit into a death by signal.
Signals::~Signals() {
  const SignalTable table = state_->table;
  sigset_t stops;
  ::sigemptyset(&stops);
  for (const Row& row : rows_of(table)) ::sigaddset(&stops, row.signal);
  ::pthread_sigmask(SIG_BLOCK, &stops, nullptr);
  state_.reset();
}

}  // namespace millrace::app
