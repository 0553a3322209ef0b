#include "control/grpc/parse.hpp"

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <limits>
#include <string_view>

#include "control/grpc/undecodable.hpp"

namespace millrace::control::grpc {

std::expected<void, Problem> parse(const ::grpc::ByteBuffer& bytes, ::google::protobuf::Message& out) {
  ::grpc::Slice whole;
  if (!bytes.DumpToSingleSlice(&whole).ok()) return std::unexpected{Problem{Code::internal, "unreadable request"}};
  const std::string_view text{reinterpret_cast<const char*>(whole.begin()), whole.size()};
  if (text.size() <= std::numeric_limits<int>::max() &&
      out.ParseFromArray(text.data(), static_cast<int>(text.size()))) {
    return {};
  }
  return std::unexpected{invalid(why_undecodable(text, *out.GetDescriptor()))};
}

}  // namespace millrace::control::grpc
