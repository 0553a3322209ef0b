#pragma once
// The methods that are about one session. Each is what Unary wants: see call.hpp.

#include <string>
#include <string_view>

#include "control/grpc/create.hpp"
#include "control/grpc/method.hpp"
#include "control/grpc/rtpproxy.pb.h"
#include "session/view.hpp"

namespace millrace::control::grpc {

class CreateSession {
 public:
  using Request = ::rtpproxy::CreateSessionRequest;
  using Response = ::rtpproxy::CreateSessionResponse;
  static constexpr MethodFacts kFacts{"CreateSession", access::Role::operator_, true};

  std::expected<void, Problem> read(const Request& request, const Caller& caller, access::Access& access);
  std::expected<Progress, Problem> run(Desk& desk);
  void write(Response& out) const { write_created(created_, out); }
  [[nodiscard]] std::string_view session() const { return session_; }

 private:
  std::string session_;
  CreateWanted wanted_;
  Created created_;
};

class DestroySession {
 public:
  using Request = ::rtpproxy::DestroySessionRequest;
  using Response = ::rtpproxy::DestroySessionResponse;
  static constexpr MethodFacts kFacts{"DestroySession", access::Role::operator_, true};

  std::expected<void, Problem> read(const Request& request, const Caller& caller, access::Access& access);
  std::expected<Progress, Problem> run(Desk& desk);
  void write(Response& out) const { write_destroyed(last_, out); }
  [[nodiscard]] std::string_view session() const { return session_; }

 private:
  std::string session_;
  session::View last_;
};

class GetSessionStatus {
 public:
  using Request = ::rtpproxy::GetSessionStatusRequest;
  using Response = ::rtpproxy::GetSessionStatusResponse;
  static constexpr MethodFacts kFacts{"GetSessionStatus", access::Role::viewer, false};

  std::expected<void, Problem> read(const Request& request, const Caller& caller, access::Access& access);
  std::expected<Progress, Problem> run(Desk& desk);
  void write(Response& out) const;
  [[nodiscard]] std::string_view session() const { return session_; }

 private:
  std::string session_;
  session::View view_;
};

class UpdateSession {
 public:
  using Request = ::rtpproxy::UpdateSessionRequest;
  using Response = ::rtpproxy::UpdateSessionResponse;
  static constexpr MethodFacts kFacts{"UpdateSession", access::Role::operator_, true};

  std::expected<void, Problem> read(const Request& request, const Caller& caller, access::Access& access);
  std::expected<Progress, Problem> run(Desk& desk);
  void write(Response& out) const;
  [[nodiscard]] std::string_view session() const { return session_; }

 private:
  std::string session_;
  session::Update wanted_;
  session::View view_;
};

}  // namespace millrace::control::grpc
