#pragma once
// Sends every stream's packets at its pace and takes what comes back, on one thread: at high rates it never sleeps, at
// low ones it sleeps between packets. A round is one packet of every stream; rounds of the warm-up are sent like all
// others and kept out of the figures.

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "mrload/arrivals.hpp"
#include "mrload/batch.hpp"
#include "mrload/histogram.hpp"
#include "mrload/media_sockets.hpp"
#include "mrload/pacer.hpp"
#include "mrload/probe.hpp"

namespace millrace::mrload {

struct Traffic {
  std::uint32_t calls = 1;
  double per_side = 50;                       // packets a second
  std::chrono::duration<double> duration{10};
  std::chrono::duration<double> warm_up{1};
  std::size_t payload = 160;                  // bytes after the RTP header
  Nanoseconds tick{100'000};
  std::uint32_t run = 0;

  [[nodiscard]] double packets_per_second() const { return 2.0 * calls * per_side; }
};

struct Counts {
  std::array<std::uint64_t, 2> sent{};        // by the side that sent: caller, callee
  std::array<std::uint64_t, 2> received{};    // of those, each once
  std::uint64_t duplicates = 0;
  std::uint64_t wrong = 0;                    // out of another leg, call or address than it had to come from
  std::uint64_t foreign = 0;                  // not a packet of this run, or damaged
  std::uint64_t warm_up_lost = 0;
  std::uint64_t overrun = 0;                  // lost in the generator's own sockets
  std::uint64_t bad_stamps = 0;               // a delay below 0 or above 10 s: the clock was stepped
  Histogram delay;                            // from just before sending to the kernel's stamp on arrival
  Nanoseconds sending{0};                     // how long the measured rounds took
  Nanoseconds slipped{0};                     // see Pacer

  [[nodiscard]] std::uint64_t lost(std::size_t side) const { return sent[side] - received[side]; }
  [[nodiscard]] std::uint64_t all_sent() const { return sent[0] + sent[1]; }
  [[nodiscard]] std::uint64_t all_received() const { return received[0] + received[1]; }
  [[nodiscard]] double sent_per_second() const {
    return sending.count() == 0 ? 0 : static_cast<double>(all_sent()) * 1e9 / static_cast<double>(sending.count());
  }
};

class Generator {
 public:
  // send_to: by call, as the relay answered; empty for the direct path, where the two sides send to one another.
  Generator(const MediaSockets& sockets, const std::vector<Sides>& send_to, const Traffic& traffic);

  // `on_edge` runs right before the first measured packet and right after the last: where the relay's processor time
  // is read.
  std::expected<Counts, SysError> run(const std::function<void()>& on_edge);

 private:
  struct Stream {
    SocketAddress to, arrives_from;
  };
  std::expected<void, SysError> send(std::uint64_t count);
  bool receive();
  void on_packet(const Received& packet, std::size_t pair, std::size_t side);
  void wait(TimePoint next, TimePoint at) const;
  void drain();
  [[nodiscard]] std::size_t socket_of(std::uint32_t stream) const {
    return stream / 2 % sockets_.pairs() * 2 + stream % 2;
  }

  const MediaSockets& sockets_;
  Traffic traffic_;
  std::uint64_t streams_count_, warm_up_packets_, total_packets_;
  std::vector<Stream> streams_;
  std::vector<SendBatch> batches_;   // one a socket
  ReceiveBatch incoming_;
  Arrivals arrivals_;
  Counts counts_;
  std::uint64_t sent_ = 0, warm_up_received_ = 0;
};

}  // namespace millrace::mrload
