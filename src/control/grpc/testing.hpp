#pragma once
// For tests alone: the server on a port of the kernel's choice, with Calls that bind nothing and a thread that does what
// the control loop does.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "access/access.hpp"
#include "access/audit.hpp"
#include "control/grpc/rtpproxy.grpc.pb.h"
#include "control/grpc/server.hpp"
#include "control/inbox.hpp"
#include "control/node.hpp"
#include "events/hub.hpp"
#include "observe/log_target.hpp"
#include "session/testing.hpp"

namespace grpc {
class ChannelCredentials;
}

namespace millrace::control::grpc::testing {

namespace pb = ::rtpproxy;
using namespace std::chrono_literals;

// printf %s TOKEN | sha256sum
inline constexpr std::string_view kOpsToken = "ops-token", kDashToken = "dash-token", kRootToken = "root-token";
inline std::vector<access::IdentitySettings> three_identities() {
  return {
      {.name = "ops",
       .role = "operator",
       .token_sha256 = "d9310c002af91822beb0b3487d8b04f85bf6bf1f8a5496bff7d35fc7c5a29def",
       .certificate = "ops.example.net"},
      {.name = "dash",
       .role = "viewer",
       .token_sha256 = "0a1be3282471dc6eef24ada1aec827fada31f7dc6d7a229ed202fa5993890018",
       .certificate = "dash.example.net"},
      {.name = "root",
       .role = "admin",
       .token_sha256 = "2cff60a244379d429c1877c36ee7f37da39ad06073d31b8d90fccd15376f2adf",
       .certificate = {}},
  };
}

// In clients_test.cpp. A channel; without credentials in plain text.
std::shared_ptr<::grpc::ChannelInterface> channel_to(
    const std::string& address, const std::shared_ptr<::grpc::ChannelCredentials>& credentials = nullptr);
// A client's context: a deadline that only a fault reaches, and a token.
std::unique_ptr<::grpc::ClientContext> context(std::string_view token = {});

// A directory that is gone with it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "grpc-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data()) == nullptr ? "" : pattern;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] std::string operator/(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline std::string contents_of(const std::string& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

class FakeNode final : public Node {
 public:
  explicit FakeNode(session::Calls& calls) : calls_{calls} {}
  [[nodiscard]] NodeFacts facts() const override {
    NodeFacts facts;
    facts.program = "millrace";
    facts.version = "1.2.3";
    facts.started = read_clocks().wall - 90s;
    facts.draining = calls_.draining();
    facts.interfaces = {session::testing::interface("127.0.0.1", "local")};
    facts.max_connections = 77;
    facts.latching_policy = "safe";
    facts.engine = {.name = "socket", .workers = {{.connections = 1, .packets = 2}}};
    return facts;
  }
  void drain() override {
    calls_.drain();
    if (server != nullptr) server->on_drain();
  }
  std::expected<void, std::string> set_log_level(std::string_view, std::string_view) override { return {}; }
  Server* server = nullptr;

 private:
  session::Calls& calls_;
};

struct Options {
  Settings settings = local();
  access::Settings security{};
  std::vector<access::IdentitySettings> identities{};
  access::QuotaSettings quotas{};
  events::Settings events{};
  session::Settings session{};
  std::string audit_file{};  // empty: one in its directory
  bool audit_required = false;

  static Settings local() {
    Settings settings;
    settings.listen = "127.0.0.1:0";
    return settings;
  }
};

// Everything of a node that the server touches.
class Running {
 public:
  explicit Running(const Options& options = {})
      : world{{.settings = options.session}}, node{world.calls}, log{target()} {
    access = std::move(access::Access::create(options.security, options.identities, options.quotas).value());
    access::AuditSettings to;
    to.file = options.audit_file.empty() ? directory / "audit.log" : options.audit_file;
    to.required = options.audit_required;
    audit = std::move(access::Audit::open(to, [](const std::string&) {}).value());
    inbox = std::move(Inbox::create().value());
    hub = std::move(events::Hub::start(options.events).value());
    world.calls.add_listener(hub->tap());
    auto started = Server::start(
        options.settings, {.inbox = *inbox, .node = node, .hub = *hub, .access = *access, .audit = *audit, .log = log});
    if (!started) {
      failure = started.error();
      return;
    }
    server = std::move(*started);
    node.server = server.get();
    loop_ = std::thread{[this] { run(); }};
  }
  ~Running() {
    stop();
    server.reset();
    hub.reset();
  }

  // As the node ends: calls, then what hears of them.
  void stop(std::chrono::milliseconds grace = 2s) {
    if (!loop_.joinable()) return;
    stopping_ = true;
    loop_.join();
    hub->hand_over();
    hub->close();
    inbox->close();
    server->stop(grace);
  }

  // `what` as a job of its own, and its effects handed on.
  void on_control(std::function<void(session::Calls&, Now)> what) {
    std::promise<void> done;
    ASSERT_TRUE(inbox->post([&](session::Calls& calls, Now now) {
      what(calls, now);
      done.set_value();
    }));
    done.get_future().wait();
  }

  // Control takes no jobs from here on.
  void halt() {
    on_control([this](session::Calls&, Now) { halted_ = true; });
  }
  void go_on() { halted_ = false; }
  // After halt(): until one waits.
  void wait_for_job() const {
    pollfd bell{.fd = inbox->event_fd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&bell, 1, 20'000), 1);
  }

  [[nodiscard]] std::string address(std::size_t listener = 0) const {
    const std::string listening = server->listening().at(listener);
    return listening.substr(listening.find(':') + 1);
  }
  // Without credentials: plain text.
  [[nodiscard]] std::unique_ptr<pb::RtpProxy::Stub> stub(
      const std::shared_ptr<::grpc::ChannelCredentials>& credentials = nullptr) const {
    return pb::RtpProxy::NewStub(channel_to(address(), credentials));
  }
  [[nodiscard]] std::string audited() const {
    audit->flush();
    return contents_of(directory / "audit.log");
  }
  [[nodiscard]] std::vector<std::string> logged() const {
    const std::scoped_lock lock{log_mutex_};
    return lines_;
  }

  TemporaryDirectory directory;
  session::testing::World world;  // its calls belong to the loop's thread
  FakeNode node;
  observe::Log log;
  std::unique_ptr<access::Access> access;
  std::unique_ptr<access::Audit> audit;
  std::unique_ptr<Inbox> inbox;
  std::unique_ptr<events::Hub> hub;
  std::unique_ptr<Server> server;
  std::string failure;

 private:
  std::unique_ptr<observe::Target> target() {
    return observe::make_callback_target(
        [this](std::string_view line) {
          const std::scoped_lock lock{log_mutex_};
          lines_.emplace_back(line);
        },
        {});
  }

  void run() {
    while (!stopping_) {
      pollfd bell{.fd = inbox->event_fd(), .events = POLLIN, .revents = 0};
      (void)::poll(&bell, 1, 5);
      if (halted_) {
        std::this_thread::sleep_for(1ms);
        continue;
      }
      for (bool more = true; more && !halted_;) {
        more = inbox->run(world.calls, read_clocks);
        turn();
      }
    }
  }
  void turn() {
    world.calls.flush();
    hub->hand_over();
    server->send_answers();
    for (const auto& event : std::exchange(world.forwarder.closed, {})) world.calls.on(event, read_clocks());
    for (const auto& event : std::exchange(world.forwarder.gone, {})) world.calls.on(event, read_clocks());
  }

  mutable std::mutex log_mutex_;
  std::vector<std::string> lines_;
  std::atomic<bool> stopping_{false}, halted_{false};
  std::thread loop_;
};

inline pb::CreateSessionRequest a_session(std::string_view id = "", std::uint32_t listen_port = 0) {
  pb::CreateSessionRequest request;
  request.set_session_id(std::string{id});
  request.mutable_listen_endpoint()->set_address("127.0.0.1");
  request.mutable_listen_endpoint()->set_port(listen_port);
  request.mutable_forward_endpoint()->set_address("127.0.0.1");
  request.mutable_destination_endpoint()->set_address("127.0.0.9");
  request.mutable_destination_endpoint()->set_port(9000);
  request.set_protocol(pb::UDP);
  return request;
}

}  // namespace millrace::control::grpc::testing
