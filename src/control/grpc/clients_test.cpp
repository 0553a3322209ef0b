// How the tests reach the server.

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <string>

#include "control/grpc/testing.hpp"

namespace millrace::control::grpc::testing {

std::shared_ptr<::grpc::ChannelInterface> channel_to(const std::string& address,
                                                     const std::shared_ptr<::grpc::ChannelCredentials>& credentials) {
  return ::grpc::CreateChannel(address, credentials == nullptr ? ::grpc::InsecureChannelCredentials() : credentials);
}

std::unique_ptr<::grpc::ClientContext> context(std::string_view token) {
  auto made = std::make_unique<::grpc::ClientContext>();
  made->set_deadline(std::chrono::system_clock::now() + 20s);
  if (!token.empty()) made->AddMetadata("authorization", "Bearer " + std::string{token});
  return made;
}

}  // namespace millrace::control::grpc::testing
