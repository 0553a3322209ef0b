#pragma once
// Why bytes are not the message that they should be, in words for whoever sent them. Pure.

#include <string>
#include <string_view>

namespace google::protobuf {
class Descriptor;
}

namespace millrace::control::grpc {

inline constexpr int kMaxMessageDepth = 100;  // nesting that is looked into, protobuf's own limit

// Of bytes that did not parse as a message of that type: "labels.key is not UTF-8".
[[nodiscard]] std::string why_undecodable(std::string_view bytes, const ::google::protobuf::Descriptor& type);

}  // namespace millrace::control::grpc
