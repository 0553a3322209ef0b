#pragma once
// Bytes → messages; what does not parse, in words.

#include <expected>

#include "control/grpc/problem.hpp"

namespace grpc {
class ByteBuffer;
}
namespace google::protobuf {
class Message;
}

namespace millrace::control::grpc {

[[nodiscard]] std::expected<void, Problem> parse(const ::grpc::ByteBuffer& bytes, ::google::protobuf::Message& out);

}  // namespace millrace::control::grpc
