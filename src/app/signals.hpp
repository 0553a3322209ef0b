#pragma once
// What a signal asks of the program. The two names of the program read them differently: under `rtpproxy` HUP drains
// and USR1 stops, under `millrace` USR1 drains and HUP reloads the settings.

#include <cstdint>
#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace millrace::app {

enum class Meaning : std::uint8_t { stop, drain, reload };
enum class SignalTable : std::uint8_t { millrace, rtpproxy };

// Ignores PIPE, says on stderr which fatal signal ended the process. Call before threads are started.
void prepare_signals();

class Signals {
 public:
  // `on_meaning` runs on the io_context. A second stop signal under the drop-in name ends the process at once with
  // 128 + its number.
  Signals(boost::asio::io_context& io, SignalTable table, std::function<void(Meaning, int signal)> on_meaning);
  ~Signals();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace millrace::app
