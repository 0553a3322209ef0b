#pragma once
// What a method of the API is made of, without a word of gRPC. Each is a class that call.hpp's Unary brings to life:
//
//   read(request, caller, access)   gRPC's thread: translated and allowed, or a Problem
//   run(desk)                       control thread: done, or again in another job
//   write(response)                 answering thread
//   session()                       for the audit log
//
// A batch has note(each) too: one line of the audit log an item, instead of one of the whole.

#include <cstdint>
#include <string>
#include <string_view>

#include "access/access.hpp"
#include "access/audit.hpp"
#include "base/time.hpp"
#include "control/grpc/problem.hpp"
#include "session/calls.hpp"

namespace millrace::control::grpc {

struct Office;

struct Caller {
  access::Identity identity;  // without a name: nobody that we know
  std::string peer;           // "192.0.2.7:50312", "[2001:db8::1]:50312"
};

// A method as access and audit see it.
struct MethodFacts {
  std::string_view name;
  access::Role role = access::Role::viewer;
  bool changes = false;  // something: each one is noted
};

enum class Progress : std::uint8_t { done, again };  // again: in another job, after others had their turn

// What a method's run() may use, on the control thread.
struct Desk {
  session::Calls& calls;
  Now now;
  Office& office;
};

// One line of the audit log.
struct Noted {
  std::string_view session{};  // as the peer named it; cut when it is too long to be one
  Code result = Code::ok;
  std::string_view reason{};
  bool unasked = false;  // refused before it was looked at
};
void note(access::Audit& audit, const Caller& caller, const MethodFacts& method, const Noted& noted);

}  // namespace millrace::control::grpc
