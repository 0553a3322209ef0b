// Who gets in: starts that are refused, tokens and roles, TLS, health and reflection.

#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>

#include "control/grpc/certificates.hpp"
#include "control/grpc/health.grpc.pb.h"
#include "control/grpc/reflection_v1.grpc.pb.h"
#include "control/grpc/reflection_v1alpha.grpc.pb.h"
#include "control/grpc/testing.hpp"

namespace millrace::control::grpc {
namespace {

using namespace std::chrono_literals;
using ::grpc::StatusCode;
using testing::a_session;
using testing::context;
using testing::kDashToken;
using testing::kOpsToken;
using testing::kRootToken;
using testing::Options;
using testing::Running;
using testing::TestCertificate;
namespace pb = ::rtpproxy;
namespace health = ::grpc::health::v1;

void write_file(const std::string& path, const std::string& text) { std::ofstream{path} << text; }

StatusCode create(pb::RtpProxy::Stub& stub, std::string_view token = {}) {
  pb::CreateSessionResponse response;
  return stub.CreateSession(context(token).get(), a_session(), &response).error_code();
}
StatusCode info(pb::RtpProxy::Stub& stub, std::string_view token = {}) {
  pb::GetServerInfoResponse response;
  return stub.GetServerInfo(context(token).get(), {}, &response).error_code();
}
StatusCode drain(pb::RtpProxy::Stub& stub, std::string_view token = {}) {
  pb::DrainServerResponse response;
  return stub.DrainServer(context(token).get(), {}, &response).error_code();
}
StatusCode stream(pb::RtpProxy::Stub& stub, std::string_view token = {}) {
  const auto with = context(token);
  const auto reader = stub.StreamSessionEvents(with.get(), {});
  reader->WaitForInitialMetadata();
  // Nothing is told to those who are not let in.
  if (with->GetServerInitialMetadata().contains("millrace-instance-id")) with->TryCancel();
  pb::SessionEvent event;
  while (reader->Read(&event)) {}
  return reader->Finish().error_code();
}
health::HealthCheckResponse::ServingStatus ask_health(const std::string& address, const std::string& service = "") {
  const auto stub = health::Health::NewStub(testing::channel_to(address));
  health::HealthCheckRequest request;
  request.set_service(service);
  health::HealthCheckResponse response;
  const auto status = stub->Check(context().get(), request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.status();
}

std::unique_ptr<access::Access> access_of(const std::vector<access::IdentitySettings>& identities) {
  return std::move(access::Access::create({}, identities, {}).value());
}

TEST(GrpcStart, an_open_door_needs_a_word) {
  const auto nobody = access_of({});
  const auto somebody = access_of(testing::three_identities());
  Settings settings;
  EXPECT_TRUE(Server::check(settings, *nobody).has_value());  // loopback
  settings.listen = "";
  EXPECT_TRUE(Server::check(settings, *nobody).has_value());
  for (const auto* listen : {"0.0.0.0:50051", "[::]:50051", "192.0.2.1:50051"}) {
    settings.listen = listen;
    const auto refused = Server::check(settings, *nobody);
    ASSERT_FALSE(refused.has_value()) << listen;
    EXPECT_NE(refused.error().find("grpc.insecure = true"), std::string::npos) << refused.error();
    EXPECT_TRUE(Server::check(settings, *somebody).has_value());
  }
  settings.insecure = true;
  EXPECT_TRUE(Server::check(settings, *nobody).has_value());
}

TEST(GrpcStart, settings_that_are_wrong_are_named) {
  const testing::TemporaryDirectory directory;
  const TestCertificate one{{.common_name = "one"}}, other{{.common_name = "other"}};
  write_file(directory / "one.pem", one.pem());
  write_file(directory / "one.key", one.key_pem());
  write_file(directory / "other.key", other.key_pem());
  write_file(directory / "empty", "");
  const auto nobody = access_of({});
  struct Case {
    std::string_view name;
    std::string listen, certificate, key, ca;
    std::string_view error;
  };
  const std::string loopback = "127.0.0.1:0";
  for (const Case& c : {
           Case{"no port", "127.0.0.1", "", "", "", "grpc.listen: '127.0.0.1' is no address and port"},
           Case{"a name", "localhost:50051", "", "", "", "grpc.listen: 'localhost:50051' is no address"},
           Case{"a key alone", loopback, "", directory / "one.key", "", "grpc.tls_key: needs grpc.tls_certificate"},
           Case{"an authority alone", loopback, "", "", directory / "one.pem", "grpc.tls_client_ca: needs grpc."},
           Case{"no key", loopback, directory / "one.pem", "", "", "grpc.tls_certificate: needs grpc.tls_key"},
           Case{"no file", loopback, directory / "absent", directory / "one.key", "", "grpc.tls_certificate: /"},
           Case{"no certificate", loopback, directory / "empty", directory / "one.key", "", "grpc.tls_certificate: /"},
           Case{"no such key", loopback, directory / "one.pem", directory / "empty", "", "grpc.tls_key: /"},
           Case{"another's key", loopback, directory / "one.pem", directory / "other.key", "", "grpc.tls_key: /"},
           Case{"no authority", loopback, directory / "one.pem", directory / "one.key", directory / "absent",
                "grpc.tls_client_ca: /"},
       }) {
    Settings settings;
    settings.listen = c.listen;
    settings.tls_certificate = c.certificate;
    settings.tls_key = c.key;
    settings.tls_client_ca = c.ca;
    const auto refused = Server::check(settings, *nobody);
    ASSERT_FALSE(refused.has_value()) << c.name;
    EXPECT_EQ(refused.error().substr(0, c.error.size()), c.error) << c.name;
  }
}

TEST(GrpcStart, a_port_that_is_taken_is_no_second_servers) {
  Running first;
  Options options;
  options.settings.listen = first.address();
  const Running second{options};
  EXPECT_EQ(second.failure, "grpc.listen: " + first.address() + ": Address already in use");
  options.settings.listen = "192.0.2.1:0";
  options.settings.insecure = true;
  EXPECT_EQ(Running{options}.failure, "grpc.listen: 192.0.2.1:0: Cannot assign requested address");
}

TEST(GrpcAccess, each_role_may_do_its_own) {
  Options options;
  options.identities = testing::three_identities();
  Running running{options};
  const auto stub = running.stub();
  for (const auto& [token, sees, makes, drains] : {
           std::tuple{std::string_view{""}, StatusCode::UNAUTHENTICATED, StatusCode::UNAUTHENTICATED,
                      StatusCode::UNAUTHENTICATED},
           std::tuple{std::string_view{"wrong"}, StatusCode::UNAUTHENTICATED, StatusCode::UNAUTHENTICATED,
                      StatusCode::UNAUTHENTICATED},
           std::tuple{kDashToken, StatusCode::OK, StatusCode::PERMISSION_DENIED, StatusCode::PERMISSION_DENIED},
           std::tuple{kOpsToken, StatusCode::OK, StatusCode::OK, StatusCode::PERMISSION_DENIED},
           std::tuple{kRootToken, StatusCode::OK, StatusCode::OK, StatusCode::OK},
       }) {
    EXPECT_EQ(info(*stub, token), sees) << token;
    EXPECT_EQ(stream(*stub, token), sees == StatusCode::OK ? StatusCode::CANCELLED : sees) << token;
    EXPECT_EQ(create(*stub, token), makes) << token;
    EXPECT_EQ(drain(*stub, token), drains) << token;
  }
  const auto lines = running.audited();
  // Twice: info, stream, create, drain without a known token; then dash twice and ops once.
  EXPECT_EQ(std::ranges::count(lines, '\n'), 8 + 2 + 1 + 3) << lines;
  EXPECT_NE(lines.find(R"("identity":"dash")"), std::string::npos) << lines;
  EXPECT_NE(lines.find(R"("command":"StreamSessionEvents")"), std::string::npos) << lines;
  for (const auto token : {kDashToken, kOpsToken, kRootToken, std::string_view{"wrong"}}) {
    EXPECT_EQ(lines.find(std::string{token} + "\""), std::string::npos) << lines;
  }
}

TEST(GrpcAccess, who_may_not_is_noted_with_the_session_and_a_stranger_is_not_read) {
  Options options;
  options.identities = testing::three_identities();
  Running running{options};
  const auto stub = running.stub();
  pb::DestroySessionRequest request;
  request.set_session_id("desk-1");
  pb::DestroySessionResponse response;
  EXPECT_EQ(stub->DestroySession(context(kDashToken).get(), request, &response).error_code(),
            StatusCode::PERMISSION_DENIED);
  const auto known = running.audited();
  EXPECT_NE(known.find(R"("command":"DestroySession","session":"desk-1","result":"PERMISSION_DENIED")"),
            std::string::npos)
      << known;
  EXPECT_EQ(stub->DestroySession(context("wrong").get(), request, &response).error_code(), StatusCode::UNAUTHENTICATED);
  const auto unknown = running.audited().substr(known.size());
  EXPECT_EQ(unknown.find("desk-1"), std::string::npos) << unknown;
}

TEST(GrpcAccess, a_stranger_cannot_fill_the_audit_log) {
  Options options;
  options.identities = testing::three_identities();
  Running running{options};
  const auto stub = running.stub();
  for (int i = 0; i < 200; ++i) EXPECT_EQ(info(*stub, "wrong"), StatusCode::UNAUTHENTICATED);
  const auto lines = running.audited();
  EXPECT_GE(std::ranges::count(lines, '\n'), 20);
  EXPECT_LT(std::ranges::count(lines, '\n'), 100);
  EXPECT_EQ(create(*stub, kOpsToken), StatusCode::OK);
  EXPECT_NE(running.audited().find(R"("identity":"ops")"), std::string::npos);
}

TEST(GrpcAccess, an_authorization_of_another_kind_is_no_good_one) {
  Options options;
  options.identities = testing::three_identities();
  Running running{options};
  for (const auto* shown : {"Basic b3BzOm9wcw==", "Bearer ", "ops-token", ""}) {
    const auto with = context();
    with->AddMetadata("authorization", shown);
    pb::GetServerInfoResponse response;
    const auto status = running.stub()->GetServerInfo(with.get(), {}, &response);
    EXPECT_EQ(status.error_code(), StatusCode::UNAUTHENTICATED) << shown;
    EXPECT_EQ(status.error_message(), "\"authorization\" is not \"Bearer TOKEN\"") << shown;
  }
}

TEST(GrpcAccess, commands_are_counted_an_item_of_a_batch_too) {
  Options options;
  options.quotas.commands_per_second = 3;
  Running running{options};
  const auto stub = running.stub();
  pb::CreateSessionsRequest batch;
  for (int i = 0; i < 20; ++i) *batch.add_sessions() = a_session();
  pb::CreateSessionsResponse created;
  ASSERT_TRUE(stub->CreateSessions(context().get(), batch, &created).ok());
  const auto refused = std::ranges::count_if(created.results(), [](const auto& result) {
    return result.status().code() == static_cast<int>(StatusCode::RESOURCE_EXHAUSTED);
  });
  EXPECT_GE(refused, 10);
  EXPECT_EQ(created.results(0).status().code(), 0);
}

TEST(GrpcAccess, without_an_audit_log_that_must_be_nothing_changes) {
  Options options;
  options.audit_file = "/dev/full";
  options.audit_required = true;
  Running running{options};
  const auto stub = running.stub();
  EXPECT_EQ(create(*stub), StatusCode::OK);  // its line is the first that cannot be written
  running.audit->flush();
  EXPECT_EQ(create(*stub), StatusCode::UNAVAILABLE);
  EXPECT_EQ(info(*stub), StatusCode::OK);
  running.on_control([](session::Calls& calls, Now) { EXPECT_EQ(calls.totals().created, 1U); });
}

TEST(GrpcAccess, requests_have_a_longest) {
  Options options;
  options.settings.max_message.count = 4096;
  Running running{options};
  auto request = a_session(std::string(5000, 'a'));
  pb::CreateSessionResponse response;
  EXPECT_EQ(running.stub()->CreateSession(context().get(), request, &response).error_code(),
            StatusCode::RESOURCE_EXHAUSTED);
}

TEST(GrpcHealth, needs_no_token_and_says_when_the_node_drains) {
  Options options;
  options.identities = testing::three_identities();
  options.settings.health_listen = "127.0.0.1:0";
  Running running{options};
  ASSERT_EQ(running.server->listening().size(), 2U);
  for (const std::size_t listener : {0U, 1U}) {
    EXPECT_EQ(ask_health(running.address(listener)), health::HealthCheckResponse::SERVING);
    EXPECT_EQ(ask_health(running.address(listener), "rtpproxy.RtpProxy"), health::HealthCheckResponse::SERVING);
  }
  // Nothing else is behind the second door.
  const auto probe = pb::RtpProxy::NewStub(testing::channel_to(running.address(1)));
  EXPECT_EQ(create(*probe, kOpsToken), StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(drain(*running.stub(), kRootToken), StatusCode::OK);
  for (const std::size_t listener : {0U, 1U}) {
    EXPECT_EQ(ask_health(running.address(listener), "rtpproxy.RtpProxy"), health::HealthCheckResponse::NOT_SERVING);
  }
}

template <class Reflection, class Request, class Response>
std::pair<StatusCode, int> services_told(const Running& running, std::string_view token) {
  const auto stub = Reflection::NewStub(testing::channel_to(running.address()));
  const auto with = context(token);
  const auto talk = stub->ServerReflectionInfo(with.get());
  Request request;
  request.set_list_services("*");
  Response response;
  int services = 0;
  if (talk->Write(request) && talk->Read(&response)) services = response.list_services_response().service_size();
  request.set_file_containing_symbol("rtpproxy.RtpProxy");
  if (talk->Write(request) && talk->Read(&response)) {
    EXPECT_GT(response.file_descriptor_response().file_descriptor_proto_size(), 0);
  }
  talk->WritesDone();
  return {talk->Finish().error_code(), services};
}

TEST(GrpcReflectionService, tells_those_who_may_see) {
  namespace v1 = ::grpc::reflection::v1;
  namespace v1alpha = ::grpc::reflection::v1alpha;
  Options options;
  options.identities = testing::three_identities();
  const Running running{options};
  using Told = std::pair<StatusCode, int>;
  const auto now = services_told<v1::ServerReflection, v1::ServerReflectionRequest, v1::ServerReflectionResponse>;
  const auto before =
      services_told<v1alpha::ServerReflection, v1alpha::ServerReflectionRequest, v1alpha::ServerReflectionResponse>;
  EXPECT_EQ(now(running, kDashToken), (Told{StatusCode::OK, 4}));
  EXPECT_EQ(before(running, kDashToken), (Told{StatusCode::OK, 4}));
  EXPECT_EQ(now(running, ""), (Told{StatusCode::UNAUTHENTICATED, 0}));
  EXPECT_EQ(before(running, "wrong"), (Told{StatusCode::UNAUTHENTICATED, 0}));
}

// A server with a certificate for 127.0.0.1, clients' certificates by an authority of its own.
class Tls : public ::testing::Test {
 protected:
  Tls() {
    use(server_);
    write_file(directory_ / "clients.pem", client_authority_.pem());
    options_.settings.tls_certificate = directory_ / "server.pem";
    options_.settings.tls_key = directory_ / "server.key";
  }
  void use(const TestCertificate& certificate) {
    write_file(directory_ / "server.key", certificate.key_pem());
    write_file(directory_ / "server.pem", certificate.pem());
  }
  static std::shared_ptr<::grpc::ChannelCredentials> trusting(const TestCertificate& authority,
                                                              const TestCertificate* client = nullptr) {
    ::grpc::SslCredentialsOptions options;
    options.pem_root_certs = authority.pem();
    if (client != nullptr) {
      options.pem_cert_chain = client->pem();
      options.pem_private_key = client->key_pem();
    }
    return ::grpc::SslCredentials(options);
  }

  testing::TemporaryDirectory directory_;
  TestCertificate authority_{{.common_name = "authority", .authority = true}};
  TestCertificate client_authority_{{.common_name = "client authority", .authority = true}};
  TestCertificate server_{{.common_name = "server", .alternative_name = "IP:127.0.0.1"}, &authority_};
  Options options_;
};

TEST_F(Tls, clients_that_trust_the_authority_get_in_and_others_do_not) {
  Running running{options_};
  ASSERT_EQ(running.failure, "");
  EXPECT_EQ(info(*running.stub(trusting(authority_))), StatusCode::OK);
  EXPECT_EQ(info(*running.stub(trusting(client_authority_))), StatusCode::UNAVAILABLE);
  EXPECT_EQ(info(*running.stub()), StatusCode::UNAVAILABLE);  // plain text
}

TEST_F(Tls, a_name_or_a_time_that_is_wrong_is_refused_by_clients) {
  const TestCertificate elsewhere{{.common_name = "s", .alternative_name = "IP:127.0.0.2"}, &authority_};
  const TestCertificate expired{{.common_name = "s", .alternative_name = "IP:127.0.0.1", .valid_to = -60}, &authority_};
  for (const auto* certificate : {&elsewhere, &expired}) {
    use(*certificate);
    Running running{options_};
    EXPECT_EQ(info(*running.stub(trusting(authority_))), StatusCode::UNAVAILABLE);
  }
}

TEST_F(Tls, a_client_is_known_by_its_certificate) {
  options_.settings.tls_client_ca = directory_ / "clients.pem";
  options_.identities = testing::three_identities();
  Running running{options_};
  ASSERT_EQ(running.failure, "");
  const TestCertificate ops{{.common_name = "x", .alternative_name = "DNS:ops.example.net"}, &client_authority_};
  const TestCertificate dash{{.common_name = "dash.example.net"}, &client_authority_};
  const TestCertificate stranger{{.common_name = "y", .alternative_name = "DNS:ops.example.net"}, &authority_};
  const TestCertificate expired{{.common_name = "x", .alternative_name = "DNS:ops.example.net", .valid_to = -60},
                                &client_authority_};
  EXPECT_EQ(create(*running.stub(trusting(authority_, &ops))), StatusCode::OK);
  EXPECT_EQ(info(*running.stub(trusting(authority_, &dash))), StatusCode::OK);
  EXPECT_EQ(create(*running.stub(trusting(authority_, &dash))), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(info(*running.stub(trusting(authority_, &stranger))), StatusCode::UNAVAILABLE);
  EXPECT_EQ(info(*running.stub(trusting(authority_, &expired))), StatusCode::UNAVAILABLE);
  EXPECT_EQ(info(*running.stub(trusting(authority_))), StatusCode::UNAVAILABLE);
  EXPECT_NE(running.audited().find(R"("identity":"ops")"), std::string::npos);
}

TEST_F(Tls, a_certificate_without_a_name_is_not_everybody) {
  options_.settings.tls_client_ca = directory_ / "clients.pem";
  options_.security.certificate_role = "viewer";
  Running running{options_};
  ASSERT_EQ(running.failure, "");
  const TestCertificate nameless{{.common_name = ""}, &client_authority_};
  const auto stub = running.stub(trusting(authority_, &nameless));
  EXPECT_EQ(info(*stub), StatusCode::OK);
  EXPECT_EQ(create(*stub), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(drain(*stub), StatusCode::PERMISSION_DENIED);
}

TEST_F(Tls, a_certificate_that_changes_is_read_again) {
  Running running{options_};
  const TestCertificate new_authority{{.common_name = "new", .authority = true}};
  const TestCertificate renewed{{.common_name = "server", .alternative_name = "IP:127.0.0.1"}, &new_authority};
  EXPECT_EQ(info(*running.stub(trusting(new_authority))), StatusCode::UNAVAILABLE);
  use(renewed);
  bool served = false;
  for (int i = 0; !served && i < 150; ++i) {  // it looks once a second
    std::this_thread::sleep_for(100ms);
    served = info(*running.stub(trusting(new_authority))) == StatusCode::OK;
  }
  EXPECT_TRUE(served);
}

TEST_F(Tls, tokens_without_it_are_worth_a_warning) {
  Options options;
  options.identities = testing::three_identities();
  options.settings.listen = "0.0.0.0:0";
  const Running running{options};
  ASSERT_EQ(running.failure, "");
  const auto lines = running.logged();
  EXPECT_EQ(std::ranges::count_if(lines, [](const auto& line) { return line.find("without TLS") != line.npos; }), 1);
}

}  // namespace
}  // namespace millrace::control::grpc
