#pragma once
// Who calls: what gRPC says of the peer, and whom access makes of it.

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "access/access.hpp"
#include "control/grpc/method.hpp"
#include "control/grpc/problem.hpp"

namespace grpc {
class CallbackServerContext;
}

namespace millrace::control::grpc {

// gRPC's "ipv6:%5B2001:db8::1%5D:50312" → "[2001:db8::1]:50312".
[[nodiscard]] std::string readable_peer(std::string_view peer);
// "[fe80::1%eth0]:50312" → fe80::1: networks have no scope. Nothing: it is no address.
[[nodiscard]] std::optional<net::Address> address_of(std::string_view readable_peer);
// "Bearer abc" → "abc"; empty: something else.
[[nodiscard]] std::string_view token_of(std::string_view authorization);

// Who it is, whether they may, and one command of theirs counted. `caller` is filled as far as it is known.
[[nodiscard]] std::expected<void, Problem> admit(const ::grpc::CallbackServerContext& context,
                                                 const MethodFacts& method, access::Access& access, Caller& caller);

}  // namespace millrace::control::grpc
