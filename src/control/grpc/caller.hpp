#pragma once
// Who calls: what gRPC says of the peer, and whom access makes of it.

#include <expected>
#include <string>
#include <string_view>

#include <grpcpp/server_context.h>

#include "access/access.hpp"
#include "access/audit.hpp"
#include "control/grpc/problem.hpp"

namespace millrace::control::grpc {

struct Caller {
  access::Identity identity;  // without a name: nobody that we know
  std::string peer;           // "192.0.2.7:50312", "[2001:db8::1]:50312"
};

// gRPC's "ipv6:%5B2001:db8::1%5D:50312" → "[2001:db8::1]:50312".
[[nodiscard]] std::string readable_peer(std::string_view peer);
// "Bearer abc" → "abc"; empty: something else.
[[nodiscard]] std::string_view token_of(std::string_view authorization);

// A method as access and audit see it.
struct MethodFacts {
  std::string_view name;
  access::Role role = access::Role::viewer;
  bool changes = false;  // something: each one is noted
};

// Who it is, whether they may, and one command of theirs counted. `caller` is filled as far as it is known.
[[nodiscard]] std::expected<void, Problem> admit(const ::grpc::CallbackServerContext& context,
                                                 const MethodFacts& method, access::Access& access, Caller& caller);

// One line of the audit log.
struct Noted {
  std::string_view session{};  // as the peer named it; cut when it is too long to be one
  Code result = Code::ok;
  std::string_view reason{};
};
void note(access::Audit& audit, const Caller& caller, const MethodFacts& method, const Noted& noted);

}  // namespace millrace::control::grpc
