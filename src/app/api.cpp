#include "app/api.hpp"

#include <unistd.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include "access/settings.hpp"
#include "control/grpc/server.hpp"
#include "control/inbox.hpp"
#include "events/hub.hpp"

namespace millrace::app {
namespace {

namespace asio = boost::asio;
namespace grpc = control::grpc;
using Failure = std::unexpected<std::string>;

constexpr std::chrono::milliseconds kStopGrace{2000};  // for calls under way and what streams have yet to send

std::expected<std::unique_ptr<access::Access>, std::string> make_access(const config::Settings& settings) {
  return access::Access::create(settings.get(access::Settings::schema), settings.get(access::IdentitySettings::schema),
                                settings.get(access::QuotaSettings::schema));
}

class JoinedApi final : public Api {
 public:
  explicit JoinedApi(Lent lent) : lent_{std::move(lent)}, jobs_{lent_.io} {}
  ~JoinedApi() override { stop(); }

  std::expected<void, std::string> serve(const config::Settings& settings);

  [[nodiscard]] std::vector<std::string> listening() const override {
    return server_ ? server_->listening() : std::vector<std::string>{};
  }
  void hand_over() override {
    if (hub_) hub_->hand_over();
  }
  void on_drain() override {
    if (server_) server_->on_drain();
  }
  void stop() override;

 private:
  void wait_for_jobs();
  void run_jobs();

  Lent lent_;
  std::unique_ptr<control::Inbox> inbox_;
  std::unique_ptr<events::Hub> hub_;
  std::unique_ptr<grpc::Server> server_;  // uses all of the above
  asio::posix::stream_descriptor jobs_;
};

std::expected<void, std::string> JoinedApi::serve(const config::Settings& settings) {
  auto inbox = control::Inbox::create();
  if (!inbox) return Failure{inbox.error().message()};
  inbox_ = std::move(*inbox);
  auto hub = events::Hub::start(settings.get(events::Settings::schema));
  if (!hub) return Failure{hub.error().message()};
  hub_ = std::move(*hub);
  auto server = grpc::Server::start(settings.get(grpc::Settings::schema), {.inbox = *inbox_,
                                                                           .node = lent_.node,
                                                                           .hub = *hub_,
                                                                           .access = *lent_.guards.access,
                                                                           .audit = *lent_.guards.audit,
                                                                           .log = lent_.log});
  if (!server) return Failure{server.error()};
  server_ = std::move(*server);
  lent_.calls.add_listener(hub_->tap());
  jobs_.assign(::dup(inbox_->event_fd()));
  wait_for_jobs();
  return {};
}

void JoinedApi::wait_for_jobs() {
  jobs_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
    if (error) return;
    run_jobs();
    wait_for_jobs();
  });
}

// Like a batch of datagrams: plans are in the workers' rings before the answers leave. What is left runs after the
// other front ends had their turn.
void JoinedApi::run_jobs() {
  const bool more = inbox_->run(lent_.calls, read_clocks);
  lent_.after_batch();
  server_->send_answers();
  lent_.after_answers();
  if (more) asio::post(lent_.io, [this] { run_jobs(); });
}

void JoinedApi::stop() {
  if (!server_) return;
  hub_->hand_over();
  hub_->close();
  inbox_->close();
  server_->stop(kStopGrace);
  server_.reset();
}

}  // namespace

std::expected<Guards, std::string> Guards::open(const config::Settings& settings, observe::Log& log) {
  auto access = make_access(settings);
  if (!access) return Failure{access.error()};
  auto audit = access::Audit::open(settings.get(access::AuditSettings::schema),
                                   [&log](const std::string& what) { log.error("{}", what); });
  if (!audit) return Failure{audit.error()};
  return Guards{.access = std::move(*access), .audit = std::move(*audit)};
}

std::expected<std::unique_ptr<Api>, std::string> Api::open(const config::Settings& settings, Lent lent) {
  auto api = std::make_unique<JoinedApi>(std::move(lent));
  if (settings.get(grpc::Settings::schema).listen.empty()) return api;
  if (const auto serving = api->serve(settings); !serving) return Failure{serving.error()};
  return api;
}

std::expected<void, std::string> Api::check(const config::Settings& settings) {
  const auto access = make_access(settings);
  if (!access) return Failure{access.error()};
  return grpc::Server::check(settings.get(grpc::Settings::schema), **access);
}

}  // namespace millrace::app
