#pragma once
// The server's certificate and whose clients' certificates it trusts.

#include <expected>
#include <memory>
#include <string>

#include "control/grpc/settings.hpp"

namespace grpc {
class ServerCredentials;
}

namespace millrace::control::grpc {

// The files can be read and belong together. The error names the setting.
[[nodiscard]] std::expected<void, std::string> check_tls(const Settings& settings);
// Files that change are read again within a second or two; plain text without a certificate.
[[nodiscard]] std::shared_ptr<::grpc::ServerCredentials> credentials(const Settings& settings);

}  // namespace millrace::control::grpc
