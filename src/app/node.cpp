#include "app/node.hpp"

#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstring>
#include <filesystem>
#include <random>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/api.hpp"
#include "app/call_log.hpp"
#include "app/facts.hpp"
#include "app/process.hpp"
#include "app/settings.hpp"
#include "base/version.hpp"
#include "control/admin/frontend.hpp"
#include "control/admin/settings.hpp"
#include "control/rtpproxy/notifier.hpp"
#include "control/rtpproxy/server.hpp"
#include "control/rtpproxy/settings.hpp"
#include "dataplane/placement.hpp"
#include "dataplane/socket/socket_engine.hpp"
#include "net/interfaces.hpp"
#include "net/udp.hpp"
#include "observe/log.hpp"
#include "observe/settings.hpp"
#include "session/calls.hpp"

namespace millrace::app {
namespace {

namespace asio = boost::asio;
namespace transport = control::transport;
using control::NodeFacts;
using Failure = std::unexpected<std::string>;

constexpr std::chrono::seconds kTick{1};
constexpr mode_t kGroupMode = 0660;

// The session's settings carry the relay's and the latching's along, each a section of its own.
session::Settings session_settings(const config::Settings& settings) {
  auto result = settings.get(session::Settings::schema);
  result.relay = settings.get(flow::RelaySettings::schema);
  result.latching = settings.get(flow::LatchingSettings::schema);
  result.limits = settings.get(flow::LimitSettings::schema);
  return result;
}

std::string_view name_of(flow::LatchPolicy policy) {
  constexpr std::array<std::string_view, 3> kNames{"safe", "reference", "strict"};
  return kNames[static_cast<std::size_t>(policy)];
}

std::optional<observe::Level> parse_level(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNames{"debug", "info", "warning", "error", "critical"};
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<observe::Level>(found - kNames.begin());
}

std::string lines(const std::vector<std::string>& sentences) { return fmt::format("{}", fmt::join(sentences, "\n")); }

// The interfaces that the command line made are checked like those of the settings.
std::expected<net::MediaInterfaces, std::string> interfaces_of(const config::Settings& settings,
                                                               const NodeOptions& options) {
  const auto host = net::this_host();
  if (options.interfaces.empty()) {
    auto made =
        net::media_interfaces(settings.get(net::Settings::schema), settings.get(net::InterfaceSettings::schema), host);
    if (!made) return Failure{lines(made.error())};
    return std::move(*made);
  }
  for (const auto& interface : options.interfaces) {
    for (const auto& address : interface.addresses) {
      if (!host.has(address)) return Failure{net::not_on_host(address, host)};
    }
  }
  return net::MediaInterfaces{.interfaces = options.interfaces, .notes = {}};
}

std::expected<std::unique_ptr<dataplane::SocketEngine>, std::string> make_engine(const config::Settings& settings) {
  auto engine = dataplane::SocketEngine::create(settings.get(dataplane::Settings::schema));
  if (!engine) return Failure{engine.error().message()};
  return std::move(*engine);
}

net::PortPool make_pool(const net::Settings& media, std::vector<net::Interface> interfaces) {
  const net::UdpOptions udp{.receive_buffer = static_cast<int>(media.receive_buffer.count), .timestamps = true};
  return net::PortPool{std::move(interfaces),
                       {.order = media.order, .rest = media.port_rest, .seed = std::random_device{}()},
                       [udp](const net::Endpoint& local) { return net::bind_udp(local, udp); }};
}

std::vector<std::unique_ptr<dataplane::Engine>> list_of(std::unique_ptr<dataplane::SocketEngine> engine) {
  std::vector<std::unique_ptr<dataplane::Engine>> engines;
  engines.push_back(std::move(engine));
  return engines;
}

// A directory of its own right below /run, which is empty after each boot, is made when it is missing; elsewhere a
// missing directory is a wrong path. What fails here shows when the socket is opened.
void make_directory_for(const transport::SocketSpec& spec) {
  if (spec.kind != transport::Kind::unix_once && spec.kind != transport::Kind::unix_lines) return;
  const auto directory = std::filesystem::path{spec.where}.parent_path();
  if (directory.parent_path() != "/run" && directory.parent_path() != "/var/run") return;
  std::error_code ignored;
  std::filesystem::create_directory(directory, ignored);
}

}  // namespace

// What the settings may have wrong, or the machine may refuse; made before everything else.
struct Node::Foundations {
  net::MediaInterfaces interfaces;
  control::rtpproxy::NotifyTargets targets;
  Guards guards;
  std::unique_ptr<dataplane::SocketEngine> engine;
};

// Everything that is alive, in the order in which it is made; the control loop's thread is the only user of it.
class Node::Parts final : public dataplane::EventSink, public control::Node {
 public:
  Parts(config::Settings settings, NodeOptions options, observe::Log& log, Foundations made)
      : settings_{std::move(settings)},
        options_{std::move(options)},
        log_{log},
        guards_{std::move(made.guards)},
        call_log_{log},
        session_settings_{session_settings(settings_)},
        ports_{make_pool(settings_.get(net::Settings::schema), std::move(made.interfaces.interfaces))},
        engine_{*made.engine},
        placement_{list_of(std::move(made.engine))},
        calls_{session_settings_, ports_, placement_, counters_},
        notifier_{io_,
                  [this](std::string_view target, std::string_view reason) {
                    log_.warning("a time-out notification to {} was dropped: {}", target, reason);
                  }},
        text_{control::rtpproxy::session_of(calls_), text_options(std::move(made.targets))},
        admin_{calls_, *this, read_clocks, guards_.audit.get()},
        text_service_{service_of(text_)},
        admin_service_{service_of(admin_)},
        engine_events_{io_, ::dup(engine_.event_fd())},
        tick_{io_},
        signals_{io_, options_.signals, [this](Meaning meaning, int signal) { on_signal(meaning, signal); }} {
    calls_.add_listener(notifier_);
    calls_.add_listener(call_log_);
    for (const auto& note : made.interfaces.notes) log_.warning("{}", note);
    for (const auto& note : options_.notes) log_.warning("{}", note);
  }

  std::expected<void, std::string> open_api();
  std::expected<void, std::string> listen();
  int run();

  // dataplane::EventSink
  void on(const flow::RemoteChanged& event) override { calls_.on(event, read_clocks()); }
  void on(const flow::StreamChanged& event) override { calls_.on(event, read_clocks()); }
  void on(const flow::PortClosed& event) override { calls_.on(event, read_clocks()); }
  void on(const flow::Removed& event) override { calls_.on(event, read_clocks()); }

  // control::Node
  [[nodiscard]] NodeFacts facts() const override;
  void drain() override;
  std::expected<void, std::string> set_log_level(std::string_view level, std::string_view call) override;

 private:
  control::rtpproxy::Server::Options text_options(control::rtpproxy::NotifyTargets targets) const;
  transport::Service service_of(control::Frontend& frontend);
  std::expected<void, std::string> listen_for_admin();
  void after_batch();
  void say_what_failed();
  void wait_for_engine();
  void wait_for_tick();
  void on_signal(Meaning meaning, int signal);
  void on_end_of_input(transport::Kind kind);
  void reload();
  void stop_if_drained();
  void say_what_started() const;
  [[nodiscard]] std::string_view policy_name() const { return name_of(session_settings_.latching.policy); }

  config::Settings settings_;
  NodeOptions options_;
  observe::Log& log_;
  Guards guards_;
  CallLog call_log_;
  session::Settings session_settings_;
  const Now started_ = read_clocks();
  transport::ConnectionLimit connections_, admin_connections_;  // streams that io_ ends give their places back
  asio::io_context io_{1};
  net::PortPool ports_;
  flow::CounterArena counters_;
  dataplane::SocketEngine& engine_;  // placement_ owns it
  dataplane::Placement placement_;
  session::Calls calls_;
  control::rtpproxy::Notifier notifier_;
  control::rtpproxy::Server text_;
  control::admin::AdminFrontend admin_;
  transport::ReplyCache replies_;
  transport::Service text_service_, admin_service_;
  std::unique_ptr<Api> api_;
  std::vector<std::string> control_sockets_;  // as they are bound
  std::vector<std::unique_ptr<transport::Listener>> listeners_;
  asio::posix::stream_descriptor engine_events_;
  asio::steady_timer tick_;
  TimePoint next_tick_;
  Signals signals_;
  bool draining_ends_ = false;
  std::uint64_t ports_failed_ = 0, sockets_failed_ = 0;  // what the log knows of
};

control::rtpproxy::Server::Options Node::Parts::text_options(control::rtpproxy::NotifyTargets targets) const {
  // Two interfaces by these names are a bridge, however they came about.
  const bool bridging = ports_.find("internal") != nullptr && ports_.find("external") != nullptr;
  const auto quotas = settings_.get(access::QuotaSettings::schema);
  return {.targets = std::move(targets),
          .bridging = bridging,
          .on_unknown_target =
              [this](std::string_view target) {
                log_.warning("'{}' is not an allowed notification target; nobody will be told", target);
              },
          .guard = control::rtpproxy::guard_of(*guards_.access, *guards_.audit, quotas)};
}

transport::Service Node::Parts::service_of(control::Frontend& frontend) {
  const bool is_text = &frontend == &text_;
  return {.io = io_,
          .frontend = frontend,
          .cache = replies_,
          .connections = is_text ? connections_ : admin_connections_,
          .after_batch = [this] { after_batch(); },
          .after_answers = [this] { placement_.wake(); },
          .end_of_input = [this](transport::Kind kind) { on_end_of_input(kind); }};
}

// Plans are in the workers' rings before the answers leave: a worker whom media reaches first looks there. Waking them
// can wait for the answers, which a worker on the same CPU would otherwise hold up.
void Node::Parts::after_batch() {
  calls_.flush();
  placement_.hand_over(*this);
  api_->hand_over();
  stop_if_drained();
}

void Node::Parts::wait_for_engine() {
  engine_events_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
    if (error) return;
    placement_.hand_over(*this);
    placement_.wake();
    api_->hand_over();
    wait_for_engine();
  });
}

void Node::Parts::wait_for_tick() {
  next_tick_ = std::max(next_tick_ + kTick, read_clocks().mono);  // a machine that slept makes up for nothing
  tick_.expires_at(next_tick_);
  tick_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    calls_.tick(read_clocks());
    after_batch();
    placement_.wake();
    say_what_failed();
    wait_for_tick();
  });
}

// Once a second at most: the answers only say that there is no port, and packets are not there to ask.
void Node::Parts::say_what_failed() {
  const auto ports = ports_.statistics().failed, sockets = sockets_failed(engine_);
  if (ports > ports_failed_) {
    log_.error("{} media port(s) could not be opened: {}", ports - ports_failed_, ports_.last_failure()->message());
  }
  if (sockets > sockets_failed_) {
    log_.error("{} media socket(s) could not be watched, or not marked with their TOS or TTL",
               sockets - sockets_failed_);
  }
  ports_failed_ = ports;
  sockets_failed_ = sockets;
}

std::expected<void, std::string> Node::Parts::open_api() {
  auto api = Api::open(settings_, {.io = io_,
                                   .calls = calls_,
                                   .node = *this,
                                   .guards = guards_,
                                   .log = log_,
                                   .after_batch = [this] { after_batch(); },
                                   .after_answers = [this] { placement_.wake(); }});
  if (!api) return Failure{api.error()};
  api_ = std::move(*api);
  return {};
}

std::expected<void, std::string> Node::Parts::listen() {
  const auto& rtpproxy = settings_.get(control::rtpproxy::Settings::schema);
  auto options = options_.listen;
  if (!rtpproxy.socket_group.empty()) {
    const auto identity = find_identity({}, rtpproxy.socket_group);
    if (!identity) return Failure{"rtpproxy.socket_group: " + identity.error()};
    options.unix_group = *identity->group;
    options.unix_mode = kGroupMode;
  }
  for (const auto& text : rtpproxy.listen) {
    const auto spec = transport::parse_socket_spec(text);
    if (!spec) return Failure{"rtpproxy.listen: " + spec.error()};
    make_directory_for(*spec);
    auto listener = transport::listen(*spec, options, text_service_);
    if (!listener) return Failure{listener.error().message()};
    const auto local = (*listener)->local();
    control_sockets_.push_back(
        local.is_set()
            ? transport::SocketSpec{.kind = spec->kind, .where = local.address.to_string(), .port = local.port}
                  .to_string()
            : spec->to_string());
    listeners_.push_back(std::move(*listener));
  }
  return listen_for_admin();
}

std::expected<void, std::string> Node::Parts::listen_for_admin() {
  const auto& admin = settings_.get(control::admin::Settings::schema);
  if (admin.socket.empty()) return {};
  auto options = options_.listen;
  options.unix_mode = kGroupMode;
  options.unix_take_over = false;  // several daemons on a host: mrctl must not silently reach another one
  if (const auto identity = find_identity({}, admin.group); !identity) {
    return Failure{"admin.group: " + identity.error()};
  } else if (identity->group) {
    options.unix_group = *identity->group;
  }
  const transport::SocketSpec spec{.kind = transport::Kind::unix_lines, .where = admin.socket, .port = Port{}};
  make_directory_for(spec);
  auto listener = transport::listen(spec, options, admin_service_);
  if (listener) {
    listeners_.push_back(std::move(*listener));
    return {};
  }
  if (options_.admin_required) {
    return Failure{"admin.socket: " + listener.error().message() +
                   " (choose another with --set admin.socket=PATH, or none "
                   "with an empty path)"};
  }
  log_.warning("mrctl cannot be used: {}", listener.error().message());
  return {};
}

int Node::Parts::run() {
  say_what_started();
  (void)::sd_notify(0, "READY=1");
  next_tick_ = started_.mono;
  wait_for_tick();
  wait_for_engine();
  io_.run();
  (void)::sd_notify(0, "STOPPING=1");
  calls_.end_all(session::EndReason::shutdown, read_clocks());
  api_->stop();
  guards_.audit->flush();
  engine_.stop();
  log_.info("stopped");
  return 0;
}

void Node::Parts::say_what_started() const {
  const auto& interface = ports_.interfaces().front();
  const auto listening = api_->listening();
  const auto grpc = listening.empty() ? std::string{} : fmt::format("; {}", fmt::join(listening, ", "));
  log_.info("{} {} is ready: text protocol on {}{}; media on {} ports {}-{}; latching {}; {} worker(s)",
            options_.program, kVersion, fmt::join(control_sockets_, ", "), grpc,
            interface.addresses.front().to_string(), interface.range.first, interface.range.last + 1, policy_name(),
            engine_.workers().size());
}

void Node::Parts::on_signal(Meaning meaning, int signal) {
  const char* name = ::sigabbrev_np(signal);
  switch (meaning) {
    case Meaning::stop:
      log_.info("SIG{}: stopping, {} connections end", name, calls_.totals().active_connections);
      io_.stop();
      break;
    case Meaning::drain: drain(); break;
    case Meaning::reload: reload(); break;
  }
}

void Node::Parts::drain() {
  if (!calls_.draining()) {
    log_.info("draining: no new calls; {} connections go on", calls_.totals().active_connections);
  }
  calls_.drain();
  api_->on_drain();
  // Not from within a listener's batch: its answer has to leave first.
  asio::post(io_, [this] { stop_if_drained(); });
}

void Node::Parts::stop_if_drained() {
  if (!calls_.draining() || calls_.totals().active_connections > 0 || draining_ends_) return;
  draining_ends_ = true;
  log_.info("drained: the last call has ended");
  asio::post(io_, [this] { io_.stop(); });
}

// Behind stdin alone there is nobody left to ask for anything.
void Node::Parts::on_end_of_input(transport::Kind kind) {
  if (kind == transport::Kind::stdioc || control_sockets_.size() == 1) drain();
}

void Node::Parts::reload() {
  if (!options_.reload) return;
  auto read = options_.reload();
  if (!read) {
    log_.error("the settings were not reloaded, the ones before stay in force: {}", read.error());
    return;
  }
  for (const auto& change : config::differences(all_sections(), settings_, *read)) {
    const bool live = change.reload == config::Reload::live;
    log_.info("{}: {} → {}{}", change.key, change.before, change.after, live ? "" : ", after a restart");
  }
  settings_ = config::with_live(all_sections(), settings_, *read);
  session_settings_ = session_settings(settings_);
  log_.set_level(settings_.get(observe::Settings::schema).level);
  const auto replaced =
      guards_.access->replace(settings_.get(access::Settings::schema), settings_.get(access::IdentitySettings::schema));
  if (!replaced) log_.error("who may do what is as it was: {}", replaced.error());
  log_.reopen();
  guards_.audit->reopen();
}

std::expected<std::unique_ptr<Node>, std::string> Node::open(config::Settings settings, NodeOptions options,
                                                             observe::Log& log) {
  auto interfaces = interfaces_of(settings, options);
  if (!interfaces) return Failure{interfaces.error()};
  auto targets = control::rtpproxy::NotifyTargets::parse(settings.get(control::rtpproxy::Settings::schema).notify);
  if (!targets) return Failure{"rtpproxy.notify: " + targets.error()};
  auto engine = make_engine(settings);
  if (!engine) return Failure{engine.error()};
  auto guards = Guards::open(settings, log);
  if (!guards) return Failure{guards.error()};
  auto parts = std::make_unique<Parts>(std::move(settings), std::move(options), log,
                                       Foundations{.interfaces = std::move(*interfaces),
                                                   .targets = std::move(*targets),
                                                   .guards = std::move(*guards),
                                                   .engine = std::move(*engine)});
  if (const auto api = parts->open_api(); !api) return Failure{api.error()};
  if (const auto listening = parts->listen(); !listening) return Failure{listening.error()};
  return std::unique_ptr<Node>{new Node{std::move(parts)}};
}

std::expected<void, std::string> Node::check(const config::Settings& settings) {
  const auto interfaces = interfaces_of(settings, {});
  if (!interfaces) return Failure{interfaces.error()};
  const auto& text = settings.get(control::rtpproxy::Settings::schema);
  const auto targets = control::rtpproxy::NotifyTargets::parse(text.notify);
  if (!targets) return Failure{"rtpproxy.notify: " + targets.error()};
  for (const auto& socket : text.listen) {
    const auto spec = transport::parse_socket_spec(socket);
    if (!spec) return Failure{"rtpproxy.listen: " + spec.error()};
  }
  return Api::check(settings);
}

Node::Node(std::unique_ptr<Parts> parts) : parts_{std::move(parts)} {}
Node::~Node() = default;
int Node::run() { return parts_->run(); }

NodeFacts Node::Parts::facts() const {
  NodeFacts facts;
  facts.program = options_.program;
  facts.version = kVersion;
  facts.pid = ::getpid();
  facts.started = started_.wall;
  facts.draining = calls_.draining();
  facts.max_connections = session_settings_.max_connections;
  facts.control_sockets = control_sockets_;
  std::ranges::copy(api_->listening(), std::back_inserter(facts.control_sockets));
  add_ports(facts, ports_);
  facts.latching_policy = policy_name();
  facts.engine = facts_of(engine_);
  facts.log_lines_dropped = log_.dropped();
  facts.receive_buffer = settings_.get(net::Settings::schema).receive_buffer.count;
  return facts;
}

std::expected<void, std::string> Node::Parts::set_log_level(std::string_view level, std::string_view call) {
  if (level == "default" && !call.empty()) {
    log_.clear_call_level(call);
    return {};
  }
  const auto parsed = parse_level(level);
  if (!parsed) return Failure{fmt::format("'{}' is no level: debug, info, warning, error or critical", level)};
  if (call.empty()) {
    log_.set_level(*parsed);
    return {};
  }
  if (!log_.set_call_level(call, *parsed)) {
    return Failure{fmt::format("{} calls have a level of their own already; undo one with: mrctl log default CALL",
                               observe::kMaxCallLevels)};
  }
  return {};
}

}  // namespace millrace::app
