#pragma once
// The methods that are about the node.

#include <string>
#include <string_view>
#include <vector>

#include "control/grpc/method.hpp"
#include "control/grpc/rtpproxy.pb.h"
#include "control/node.hpp"
#include "session/totals.hpp"

namespace millrace::control::grpc {

class GetServerInfo {
 public:
  using Request = ::rtpproxy::GetServerInfoRequest;
  using Response = ::rtpproxy::GetServerInfoResponse;
  static constexpr MethodFacts kFacts{"GetServerInfo", access::Role::viewer, false};

  static std::expected<void, Problem> read(const Request&, const Caller&, access::Access&) { return {}; }
  std::expected<Progress, Problem> run(Desk& desk);
  void write(Response& out) const;
  [[nodiscard]] static std::string_view session() { return {}; }

 private:
  NodeFacts facts_;
  session::Totals totals_;
  std::size_t sessions_ = 0;
  WallTime at_;
  double cpu_load_ = 0;
  std::string instance_;
  std::uint64_t last_sequence_ = 0;
  std::size_t streams_ = 0;
};

class ListInterfaces {
 public:
  using Request = ::rtpproxy::ListInterfacesRequest;
  using Response = ::rtpproxy::ListInterfacesResponse;
  static constexpr MethodFacts kFacts{"ListInterfaces", access::Role::viewer, false};

  static std::expected<void, Problem> read(const Request&, const Caller&, access::Access&) { return {}; }
  std::expected<Progress, Problem> run(Desk& desk);
  void write(Response& out) const;
  [[nodiscard]] static std::string_view session() { return {}; }

 private:
  std::vector<net::Interface> interfaces_;
};

class DrainServer {
 public:
  using Request = ::rtpproxy::DrainServerRequest;
  using Response = ::rtpproxy::DrainServerResponse;
  static constexpr MethodFacts kFacts{"DrainServer", access::Role::admin, true};

  static std::expected<void, Problem> read(const Request&, const Caller&, access::Access&) { return {}; }
  std::expected<Progress, Problem> run(Desk& desk);
  void write(Response& out) const { out.set_connections(connections_); }
  [[nodiscard]] static std::string_view session() { return {}; }

 private:
  std::uint32_t connections_ = 0;
};

}  // namespace millrace::control::grpc
