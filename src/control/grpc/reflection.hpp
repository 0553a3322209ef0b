#pragma once
// Server reflection, both versions that tools speak, so that grpcurl and its like need no .proto file. Our own instead
// of gRPC's plugin: that one answers anybody.

#include <memory>
#include <vector>

#include "access/access.hpp"
#include "access/audit.hpp"

namespace grpc {
class Service;
}

namespace millrace::control::grpc {

// Both outlive the services.
[[nodiscard]] std::vector<std::unique_ptr<::grpc::Service>> reflection_services(access::Access& access,
                                                                                access::Audit& audit);

}  // namespace millrace::control::grpc
