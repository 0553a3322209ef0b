#include "control/grpc/server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

#include "control/grpc/answers.hpp"
#include "control/grpc/event_streams.hpp"
#include "control/grpc/health.hpp"
#include "control/grpc/reflection.hpp"
#include "control/grpc/service.hpp"
#include "control/grpc/tls.hpp"
#include "net/unique_fd.hpp"

namespace millrace::control::grpc {

namespace {

constexpr int kNice = 5;  // media goes first
constexpr int kMaxStreamsOfConnection = 8192;
constexpr int kMaxStreamsOfHealth = 16;  // a probe needs one

// Event streams are silent for hours: a peer that is gone must be noticed, and one that asks whether we are there must
// not be thrown out for it.
constexpr int kAskAfterMs = 30'000;
constexpr int kAnswerWithinMs = 10'000;
constexpr int kMayAskEveryMs = 5'000;

using Failure = std::unexpected<std::string>;

std::expected<net::Endpoint, std::string> to_listen(const char* setting, const std::string& text) {
  const auto endpoint = net::Endpoint::parse(text);
  if (!endpoint) {
    return Failure{
        fmt::format("{}: '{}' is no address and port, such as 127.0.0.1:50051 or [::1]:50051", setting, text)};
  }
  return *endpoint;
}

bool authenticates(const Settings& settings, const access::Access& access) {
  return access.authenticates() || !settings.tls_client_ca.empty();
}

// gRPC does not tell why it could not listen: asked again, the kernel does.
std::string why_not_bound(const net::Endpoint& endpoint) {
  sockaddr_storage address{};
  const auto length = endpoint.to_sockaddr(address);
  const net::UniqueFd socket{::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const int on = 1;
  if (socket) (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      ::listen(socket.get(), 1) != 0) {
    return std::strerror(errno);
  }
  return "it cannot be listened to";
}

// What libraries say of peers' mistakes is for whoever looks into them, not for stderr.
std::atomic<observe::Log*> library_log{nullptr};

void on_library_log(gpr_log_func_args* line) {
  auto* log = library_log.load();
  if (log != nullptr && line->severity == GPR_LOG_SEVERITY_ERROR) log->debug("gRPC: {}", line->message);
}

void set_up_libraries(observe::Log& log) {
  library_log.store(&log);
  static const bool kOnce = [] {
    ::gpr_set_log_function(on_library_log);
    ::google::protobuf::SetLogHandler(nullptr);  // strings that are not UTF-8: the peer is told
    return true;
  }();
  (void)kOnce;
}

// Threads that gRPC makes inherit from the one that starts it: behind media, and deaf to signals, which are control's.
template <class Function>
void on_background_thread(Function function) {
  std::thread{[&function] {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    if (::getpriority(PRIO_PROCESS, 0) < kNice)
      (void)::setpriority(PRIO_PROCESS, 0, kNice);  // of this thread, on Linux
    function();
  }}.join();
}

class RunningServer final : public Server {
 public:
  explicit RunningServer(const Parts& parts) : office_{.parts = parts}, streams_{office_}, answers_{office_} {}
  ~RunningServer() override {
    stop(std::chrono::milliseconds{0});
    library_log.store(nullptr);
  }

  std::expected<void, std::string> open(const Settings& settings);
  [[nodiscard]] std::vector<std::string> listening() const override { return listening_; }
  void send_answers() override { answers_.hand_over(office_.completed); }
  void on_drain() override { health_.set_serving(false); }
  void stop(std::chrono::milliseconds grace) override;

 private:
  struct Listener {
    const char* setting;
    const std::string& text;
    std::shared_ptr<::grpc::ServerCredentials> credentials;
  };
  std::expected<std::unique_ptr<::grpc::Server>, std::string> listen(::grpc::ServerBuilder& builder,
                                                                     const Listener& listener);

  Office office_;
  EventStreams streams_;
  Answers answers_;
  Service service_{office_, streams_};
  std::vector<std::unique_ptr<::grpc::Service>> reflection_;
  Health health_;
  std::unique_ptr<::grpc::Service> health_service_, plain_health_service_;
  std::vector<std::string> listening_;
  std::unique_ptr<::grpc::Server> server_, health_server_;
};

std::expected<std::unique_ptr<::grpc::Server>, std::string> RunningServer::listen(::grpc::ServerBuilder& builder,
                                                                                  const Listener& listener) {
  const auto wanted = to_listen(listener.setting, listener.text);
  if (!wanted) return Failure{wanted.error()};
  int port = 0;
  builder.AddListeningPort(wanted->to_string(), listener.credentials, &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // two nodes on one port would share its clients
  auto server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return Failure{fmt::format("{}: {}: {}", listener.setting, listener.text, why_not_bound(*wanted))};
  }
  const net::Endpoint bound{wanted->address, Port{static_cast<std::uint16_t>(port)}};
  listening_.push_back(fmt::format("{}:{}", server_ == nullptr ? "grpc" : "grpc-health", bound.to_string()));
  return server;
}

std::expected<void, std::string> RunningServer::open(const Settings& settings) {
  ::grpc::ServerBuilder builder;
  builder.RegisterService(&service_);
  reflection_ = reflection_services(office_.parts.access, office_.parts.audit);
  for (auto& each : reflection_) builder.RegisterService(each.get());
  health_service_ = health_.service();
  builder.RegisterService(health_service_.get());
  builder.SetMaxReceiveMessageSize(static_cast<int>(settings.max_message.count));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsOfConnection);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kAskAfterMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kAnswerWithinMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMayAskEveryMs);
  auto server = listen(builder, {"grpc.listen", settings.listen, credentials(settings)});
  if (!server) return Failure{server.error()};
  server_ = std::move(*server);
  if (!settings.health_listen.empty()) {
    ::grpc::ServerBuilder plain;
    plain_health_service_ = health_.service();
    plain.RegisterService(plain_health_service_.get());
    plain.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsOfHealth);
    auto health = listen(plain, {"grpc.health_listen", settings.health_listen, ::grpc::InsecureServerCredentials()});
    if (!health) return Failure{health.error()};
    health_server_ = std::move(*health);
  }
  answers_.start();
  streams_.start();
  return {};
}

// Shutdown says GOAWAY and waits for calls and streams, whose threads are needed until then.
void RunningServer::stop(std::chrono::milliseconds grace) {
  if (office_.ending.exchange(true)) return;
  send_answers();
  health_.close();
  const auto deadline = std::chrono::system_clock::now() + grace;
  for (const auto* server : {&server_, &health_server_}) {
    if (*server != nullptr) (*server)->Shutdown(deadline);
  }
  streams_.stop();
  answers_.stop();
}

}  // namespace

std::expected<void, std::string> Server::check(const Settings& settings, const access::Access& access) {
  if (settings.listen.empty()) return {};
  const auto listen = to_listen("grpc.listen", settings.listen);
  if (!listen) return Failure{listen.error()};
  if (!settings.health_listen.empty()) {
    if (const auto health = to_listen("grpc.health_listen", settings.health_listen); !health) {
      return Failure{health.error()};
    }
  }
  if (auto tls = check_tls(settings); !tls) return tls;
  if (!listen->address.is_loopback() && !authenticates(settings, access) && !settings.insecure) {
    return Failure{
        fmt::format("grpc.listen: {} is not loopback, and whoever reaches it could command this node: give it an "
                    "[[identity]] with a "
                    "token, or grpc.tls_client_ca, or say grpc.insecure = true",
                    settings.listen)};
  }
  return {};
}

std::expected<std::unique_ptr<Server>, std::string> Server::start(const Settings& settings, const Parts& parts) {
  if (auto fine = check(settings, parts.access); !fine) return Failure{fine.error()};
  const auto listen = net::Endpoint::parse(settings.listen);
  if (!listen) return Failure{"grpc.listen: an address and port are wanted"};
  if (!listen->address.is_loopback()) {
    if (!authenticates(settings, parts.access)) {
      parts.log.warning("grpc.insecure: whoever reaches {} may command this node", settings.listen);
    } else if (settings.tls_certificate.empty()) {
      parts.log.warning("grpc.listen: without TLS, tokens can be read on the way to {}", settings.listen);
    }
  }
  set_up_libraries(parts.log);
  std::unique_ptr<RunningServer> server;
  std::expected<void, std::string> opened;
  on_background_thread([&] {
    server = std::make_unique<RunningServer>(parts);
    opened = server->open(settings);
    if (!opened) server.reset();
  });
  if (!opened) return Failure{opened.error()};
  return server;
}

}  // namespace millrace::control::grpc
