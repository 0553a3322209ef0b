#include "control/transport/stream_listener.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "control/transport/open_socket.hpp"
#include "net/udp.hpp"

namespace millrace::control::transport {
namespace {

namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;

constexpr std::size_t kMaxLine = kMaxRequest + 1;  // with its newline
constexpr std::size_t kAcceptsPerTurn = 64;
constexpr std::chrono::milliseconds kAcceptAgain{100};  // after the machine had no descriptor or memory for one more

net::Endpoint endpoint_by(int socket, int (*ask)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (ask(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return net::Endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&address), length).value_or(net::Endpoint{});
}

Origin origin_of(int socket) {
  Origin origin{.peer = endpoint_by(socket, ::getpeername), .local = endpoint_by(socket, ::getsockname)};
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0) origin.user_id = credentials.uid;
  return origin;
}

// One stream: where commands come from and where answers go, the same descriptor but for stdin and stdout.
struct Stream {
  Descriptor in;
  std::optional<Descriptor> separate_out;
  Origin origin;
  ConnectionLimit::Place place;
  std::string unread;   // less than a line
  std::string answers;

  Descriptor& out() { return separate_out ? *separate_out : in; }
};

// Serves the whole lines that have come and keeps the rest. False: the line is too long to ever end.
bool serve_lines(Service& service, Stream& stream) {
  std::string_view rest = stream.unread;
  for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    const auto line = rest.substr(0, end);
    if (line.size() > kMaxRequest) return false;
    service.frontend.serve(line, stream.origin, stream.answers);
    stream.place.has_spoken();
    rest = rest.substr(end + 1);
  }
  stream.unread.erase(0, stream.unread.size() - rest.size());
  return stream.unread.size() < kMaxLine;
}

// Reads, serves all that is whole, writes the answers, and only then reads on.
asio::awaitable<void> run_lines(Service& service, std::shared_ptr<Stream> stream, std::function<void()> at_end) {
  std::array<char, kMaxLine> chunk;
  for (bool going = true; going;) {
    boost::system::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    const auto size = co_await stream->in.async_read_some(asio::buffer(chunk), token);
    if (error) break;
    stream->unread.append(chunk.data(), size);
    going = serve_lines(service, *stream);
    service.after_batch();
    service.after_answers();  // before they are written: a peer that does not read must not hold workers up
    co_await asio::async_write(stream->out(), asio::buffer(stream->answers), token);
    if (error) break;
    stream->answers.clear();
  }
  if (at_end) at_end();
}

// One command a connection: what one read returns is the command, a newline is not needed.
asio::awaitable<void> run_once(Service& service, std::shared_ptr<Stream> stream) {
  std::array<char, kMaxRequest> chunk;
  boost::system::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  const auto size = co_await stream->in.async_read_some(asio::buffer(chunk), token);
  if (error) co_return;
  service.frontend.serve({chunk.data(), size}, stream->origin, stream->answers);
  stream->place.has_spoken();
  service.after_batch();
  service.after_answers();
  co_await asio::async_write(stream->in, asio::buffer(stream->answers), token);
}

// Which file a path leads to.
struct FileId {
  dev_t device = 0;
  ino_t number = 0;
  friend bool operator==(const FileId&, const FileId&) = default;

  static std::optional<FileId> of(const std::string& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) return std::nullopt;
    return FileId{.device = status.st_dev, .number = status.st_ino};
  }
};

class StreamListener final : public Listener {
 public:
  StreamListener(net::UniqueFd socket, SocketSpec spec, Service& service)
      : service_{service},
        spec_{std::move(spec)},
        place_{service.connections.enter(nullptr)},
        local_{endpoint_by(socket.get(), ::getsockname)},
        file_{is_unix(spec_.kind) ? FileId::of(spec_.where) : std::nullopt},
        acceptor_{service.io, socket.release()},
        pause_{service.io} {
    wait();
  }
  ~StreamListener() override {
    if (file_ && file_ == FileId::of(spec_.where)) (void)::unlink(spec_.where.c_str());
  }
  [[nodiscard]] net::Endpoint local() const override { return local_; }

 private:
  void wait() {
    acceptor_.async_wait(Descriptor::wait_read, [this](boost::system::error_code error) {
      if (error) return;  // the listener is going
      if (accept_all()) return wait();
      wait_a_while();
    });
  }

  // The connection that could not be taken still waits, so the socket stays readable: waiting for that alone would keep
  // the control loop turning for as long as descriptors are short.
  void wait_a_while() {
    pause_.expires_after(kAcceptAgain);
    pause_.async_wait([this](boost::system::error_code error) {
      if (!error) wait();
    });
  }

  // False: the machine has no room for one more now.
  bool accept_all() {
    for (std::size_t i = 0; i < kAcceptsPerTurn; ++i) {
      net::UniqueFd socket{::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
      if (!socket) return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
      start(std::move(socket));
    }
    return true;
  }

  void start(net::UniqueFd socket) {
    const int fd = socket.get();
    auto stream = std::make_shared<Stream>(Descriptor{service_.io, socket.release()}, std::nullopt);
    stream->origin = origin_of(fd);
    stream->place = service_.connections.enter([weak = std::weak_ptr{stream}] {
      boost::system::error_code ignored;
      if (const auto silent = weak.lock()) ignored = silent->in.close(ignored);
    });
    if (!stream->place) return;  // turned away: closed at once
    if (spec_.kind == Kind::unix_once) {
      asio::co_spawn(service_.io, run_once(service_, std::move(stream)), asio::detached);
    } else {
      asio::co_spawn(service_.io, run_lines(service_, std::move(stream), nullptr), asio::detached);
    }
  }

  Service& service_;
  SocketSpec spec_;
  ConnectionLimit::Place place_;
  net::Endpoint local_;
  std::optional<FileId> file_;  // of a Unix socket; a successor may have put its own in the place
  Descriptor acceptor_;
  asio::steady_timer pause_;
};

// Asio makes a descriptor non-blocking, and that lasts beyond us on a terminal: put back what was.
class KeepFlags {
 public:
  explicit KeepFlags(int fd) : fd_{fd}, flags_{::fcntl(fd, F_GETFL)} {}
  ~KeepFlags() { (void)::fcntl(fd_, F_SETFL, flags_); }
  KeepFlags(const KeepFlags&) = delete;
  KeepFlags& operator=(const KeepFlags&) = delete;

 private:
  int fd_, flags_;
};

class StdioListener final : public Listener {
 public:
  StdioListener(net::UniqueFd in, net::UniqueFd out, Kind kind, Service& service)
      : stream_{std::make_shared<Stream>(Descriptor{service.io, in.release()}, Descriptor{service.io, out.release()})} {
    stream_->place = service.connections.enter(nullptr);
    asio::co_spawn(service.io, run_lines(service, stream_, [&service, kind] { service.end_of_input(kind); }),
                   asio::detached);
  }
  [[nodiscard]] net::Endpoint local() const override { return {}; }

 private:
  KeepFlags in_{STDIN_FILENO}, out_{STDOUT_FILENO};
  std::shared_ptr<Stream> stream_;
};

}  // namespace

std::expected<std::unique_ptr<Listener>, SysError> listen_stream(const SocketSpec& spec, const ListenOptions& options,
                                                                 Service& service) {
  auto socket = open_socket(spec, options);
  if (!socket) return std::unexpected{socket.error()};
  return std::make_unique<StreamListener>(std::move(*socket), spec, service);
}

std::expected<std::unique_ptr<Listener>, SysError> listen_stdio(const SocketSpec& spec, Service& service) {
  net::UniqueFd in{::dup(STDIN_FILENO)};
  net::UniqueFd out{in ? ::dup(STDOUT_FILENO) : -1};
  if (!out) return std::unexpected{sys_error(spec.to_string() + (in ? " stdout" : " stdin"))};
  return std::make_unique<StdioListener>(std::move(in), std::move(out), spec.kind, service);
}

}  // namespace millrace::control::transport
