#include "control/rtpproxy/notifier.hpp"

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "control/rtpproxy/notify_targets.hpp"

namespace millrace::control::rtpproxy {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Socket = asio::generic::stream_protocol::socket;
using Tcp = asio::ip::tcp;

constexpr std::chrono::seconds kPatience{5};  // for a name, a connection or a send

bool ended_by_timer(session::EndReason reason) {
  switch (reason) {
    case session::EndReason::idle_timeout:
    case session::EndReason::setup_timeout:
    case session::EndReason::held_timeout:
    case session::EndReason::max_duration: return true;
    case session::EndReason::deleted:
    case session::EndReason::all_deleted:
    case session::EndReason::shutdown: return false;
  }
  std::unreachable();
}

// "tcp:HOST:PORT from ADDRESS", the last two words optional; "unix:PATH".
struct Destination {
  std::string path;                // of a local socket, else empty
  std::string host, port, source;  // of TCP
};

Destination destination_of(std::string_view target) {
  constexpr std::string_view kUnix = "unix:", kTcp = "tcp:", kFrom = " from ";
  if (target.starts_with(kUnix))
    return {.path = std::string{target.substr(kUnix.size())}, .host = {}, .port = {}, .source = {}};
  target.remove_prefix(std::min(kTcp.size(), target.size()));
  Destination destination;
  if (const std::size_t from = target.find(kFrom); from != std::string_view::npos) {
    destination.source = target.substr(from + kFrom.size());
    target = target.substr(0, from);
  }
  const std::size_t colon = std::min(target.rfind(':'), target.size());
  destination.host = target.substr(0, colon);
  destination.port = target.substr(std::min(colon + 1, target.size()));
  return destination;
}

// Cancels what `object` is doing when its time is over; ends with the operation. The timer may have fired and its
// handler wait its turn when that happens, so the handler asks whether the object is still meant.
template <class Object>
class Deadline {
 public:
  explicit Deadline(Object& object)
      : timer_{object.get_executor(), kPatience}, object_{std::make_shared<Object*>(&object)} {
    timer_.async_wait([object = object_](error_code error) {
      if (!error && *object != nullptr) (*object)->cancel();
    });
  }
  ~Deadline() { *object_ = nullptr; }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

 private:
  asio::steady_timer timer_;
  std::shared_ptr<Object*> object_;
};

// One target: what waits for it, and the connection to it.
class Channel {
 public:
  Channel(asio::io_context& io, std::string_view target) : target_{target}, socket_{io} {}

  std::deque<std::string> waiting;
  bool running = false;  // a coroutine works on `waiting`

  [[nodiscard]] const std::string& target() const { return target_; }
  [[nodiscard]] bool is_open() const { return socket_.is_open(); }

  void close() {
    error_code ignored;
    socket_.close(ignored);
  }

  // A peer that has gone is seen here and not by the first send, which the kernel would still accept. What it says is
  // not for us.
  void close_if_peer_left() {
    char scratch[256];
    for (;;) {
      const ssize_t got = ::recv(socket_.native_handle(), scratch, sizeof scratch, MSG_DONTWAIT);
      if (got > 0) continue;
      if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) close();
      return;
    }
  }

  asio::awaitable<error_code> connect() {
    const Destination to = destination_of(target_);
    error_code error;
    if (!to.path.empty()) {
      if (to.path.size() >= sizeof(sockaddr_un::sun_path)) co_return asio::error::name_too_long;
      co_await connect_to(asio::local::stream_protocol::endpoint{to.path}, {}, error);
      co_return error;
    }
    Tcp::resolver resolver{socket_.get_executor()};
    Tcp::resolver::results_type found;
    {
      Deadline deadline{resolver};
      found = co_await resolver.async_resolve(to.host, to.port, asio::redirect_error(asio::use_awaitable, error));
    }
    if (!error && found.empty()) error = asio::error::host_not_found;
    for (const auto& entry : found) {
      co_await connect_to(entry.endpoint(), to.source, error);
      if (!error) break;
    }
    co_return error;
  }

  asio::awaitable<error_code> send(const std::string& line) {
    error_code error;
    Deadline deadline{socket_};
    co_await asio::async_write(socket_, asio::buffer(line), asio::redirect_error(asio::use_awaitable, error));
    co_return error;
  }

 private:
  asio::awaitable<void> connect_to(Socket::endpoint_type endpoint, std::string source, error_code& error) {
    close();
    socket_.open(endpoint.protocol(), error);
    if (error) co_return;
    if (!source.empty()) socket_.bind(Tcp::endpoint{asio::ip::make_address(source, error), 0}, error);
    if (!error) {
      Deadline deadline{socket_};
      co_await socket_.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
    }
    if (error) close();
  }

  std::string target_;
  Socket socket_;
};

}  // namespace

class Notifier::Impl : public std::enable_shared_from_this<Notifier::Impl> {
 public:
  Impl(asio::io_context& io, OnDropped on_dropped) : io_{io}, on_dropped_{std::move(on_dropped)} {}

  void notify(const session::Notify& notify) {
    Channel* channel = channel_for(notify.target);
    if (channel == nullptr) return drop(notify.target, "too many different targets", 1);
    if (channel->waiting.size() == kMaxWaiting) return drop(notify.target, "too many notifications wait for it", 1);
    channel->waiting.push_back(notify.tag + '\n');
    if (std::exchange(channel->running, true)) return;
    // The coroutine holds on to us, so the channel that it works on stays.
    asio::co_spawn(io_, [self = shared_from_this(), channel] { return self->work(*channel); }, asio::detached);
  }

  // Closing makes every operation that is under way end with an error.
  void stop() {
    stopped_ = true;
    for (auto& [target, channel] : channels_) {
      channel.waiting.clear();
      channel.close();
    }
  }

  NotifierCounters counters;

 private:
  Channel* channel_for(const std::string& target) {
    const auto found = channels_.find(target);
    if (found != channels_.end()) return &found->second;
    if (channels_.size() >= kMaxConnections) {
      std::erase_if(channels_, [](const auto& entry) { return !entry.second.running; });
      if (channels_.size() >= kMaxConnections) return nullptr;
    }
    return &channels_.try_emplace(target, io_, target).first->second;
  }

  asio::awaitable<void> work(Channel& channel) {
    while (!stopped_ && !channel.waiting.empty()) {
      const error_code error = co_await deliver(channel);
      if (stopped_) co_return;
      if (!error) {
        ++counters.sent;
        channel.waiting.pop_front();
      } else if (channel.is_open()) {
        channel.close();
        channel.waiting.pop_front();
        drop(channel.target(), error.message(), 1);
      } else {
        // Nobody is there. What has gathered while we tried would fail as slowly, one after the other.
        drop(channel.target(), error.message(), channel.waiting.size());
        channel.waiting.clear();
      }
    }
    channel.running = false;
  }

  // The first in the row. On an error the channel is open when sending failed and closed when connecting did.
  asio::awaitable<error_code> deliver(Channel& channel) {
    const std::string line = channel.waiting.front();
    if (channel.is_open()) channel.close_if_peer_left();
    for (int resends = 0;; ++resends) {
      error_code error;
      if (!channel.is_open()) error = co_await channel.connect();
      if (error || stopped_) co_return error;
      error = co_await channel.send(line);
      if (!error || stopped_ || resends == kMaxResends) co_return error;
      channel.close();
    }
  }

  void drop(const std::string& target, std::string_view reason, std::size_t count) {
    counters.dropped += count;
    on_dropped_(target, reason);
  }

  asio::io_context& io_;
  OnDropped on_dropped_;
  std::map<std::string, Channel> channels_;
  bool stopped_ = false;
};

Notifier::Notifier(asio::io_context& io, OnDropped on_dropped)
    : impl_{std::make_shared<Impl>(io, std::move(on_dropped))} {}

Notifier::~Notifier() { impl_->stop(); }

void Notifier::on_change(const session::Change& change) {
  const auto* ended = std::get_if<session::ConnectionEnded>(&change.what);
  if (ended != nullptr && ended->notify && ended_by_timer(ended->reason)) impl_->notify(*ended->notify);
}

NotifierCounters Notifier::counters() const { return impl_->counters; }

}  // namespace millrace::control::rtpproxy
