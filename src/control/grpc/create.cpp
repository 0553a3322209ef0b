#include "control/grpc/create.hpp"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <openssl/sha.h>

#include <chrono>
#include <utility>

#include "control/grpc/office.hpp"
#include "control/grpc/session_info.hpp"
#include "control/grpc/session_name.hpp"
#include "control/grpc/stats.hpp"
#include "control/grpc/translate.hpp"

namespace millrace::control::grpc {

Fingerprint fingerprint_of(const ::google::protobuf::Message& message) {
  std::string bytes;
  {
    ::google::protobuf::io::StringOutputStream stream{&bytes};
    ::google::protobuf::io::CodedOutputStream coded{&stream};
    coded.SetSerializationDeterministic(true);
    (void)message.SerializeToCodedStream(&coded);
  }
  Fingerprint fingerprint{};
  ::SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), fingerprint.data());
  return fingerprint;
}

std::expected<CreateWanted, Problem> read_create(const pb::CreateSessionRequest& request, const Caller& caller,
                                                 const access::Access& access) {
  auto command = to_create(request);
  if (!command) return std::unexpected{std::move(command.error())};
  for (const auto& [field, local] :
       {std::pair{"listen_endpoint", &command->caller.local}, std::pair{"forward_endpoint", &command->callee.local}}) {
    if (const auto may = access.may_listen(local->address); !may) {
      return std::unexpected{problem_of(field, may.error())};
    }
  }
  if (const auto may = access.may_reach(command->destination.address, command->callee.local.address); !may) {
    return std::unexpected{problem_of("destination_endpoint", may.error())};
  }
  command->owner = caller.identity.name;
  if (command->call_id.empty()) command->call_id = new_session_id();
  CreateWanted wanted{.command = std::move(*command), .request_id = request.request_id(), .fingerprint = {}};
  if (!wanted.request_id.empty()) wanted.fingerprint = fingerprint_of(request);
  return wanted;
}

std::expected<Created, Problem> run_create(const CreateWanted& wanted, Desk& desk) {
  RequestMemory& memory = desk.office.requests;
  const auto& [command, request_id, fingerprint] = wanted;
  if (!request_id.empty()) {
    if (const auto* first = memory.find(command.owner, request_id); first != nullptr) {
      if (first->fingerprint == fingerprint) return first->result;
      return std::unexpected{invalid(fmt::format("request_id: {} was used for another request", quoted(request_id)))};
    }
  }
  const auto reply = desk.calls.execute(command, desk.now);
  if (const auto* refused = std::get_if<session::PortRefused>(&reply)) return std::unexpected{problem_of(*refused)};
  if (const auto* error = std::get_if<session::Error>(&reply)) {
    return std::unexpected{problem_of(*error, command.call_id)};
  }
  const auto& view = std::get<session::View>(reply);
  const auto& caller = view.side(session::Side::offerer);
  const auto& callee = view.side(session::Side::answerer);
  Created created{.session_id = view.call_id,
                  .at = view.created,
                  .listen = caller.local,
                  .forward = callee.local,
                  .rtcp = caller.rtcp && callee.rtcp,
                  .note = view.note};
  if (!request_id.empty()) memory.remember(command.owner, request_id, {.fingerprint = fingerprint, .result = created});
  return created;
}

void write_created(const Created& created, pb::CreateSessionResponse& out) {
  out.set_session_id(created.session_id);
  out.set_created_at(std::chrono::floor<std::chrono::seconds>(created.at.time_since_epoch()).count());
  write_endpoint(created.listen, *out.mutable_listen_endpoint());
  write_endpoint(created.forward, *out.mutable_forward_endpoint());
  out.set_rtcp(created.rtcp);
  out.set_note(created.note);
}

std::optional<ConnectionId> find_connection(const session::Calls& calls, std::string_view session_id) {
  if (const auto session = calls.find_session(session_id)) return session;
  const auto parts = split_call_and_tag(session_id);
  return parts ? calls.find_connection_of(parts->call_id, parts->tag) : std::nullopt;
}

std::expected<session::View, Problem> run_destroy(std::string_view session_id, Desk& desk) {
  const auto connection = find_connection(desk.calls, session_id);
  if (!connection) return std::unexpected{problem_of(session::Error::not_found, session_id)};
  auto reply = desk.calls.execute(session::End{.connection = *connection}, desk.now);
  if (auto* view = std::get_if<session::View>(&reply)) return std::move(*view);
  const auto* error = std::get_if<session::Error>(&reply);
  return std::unexpected{problem_of(error != nullptr ? *error : session::Error::not_found, session_id)};
}

void write_destroyed(const session::View& last, pb::DestroySessionResponse& out) {
  out.set_success(true);
  out.set_message("destroyed");
  write_stats(last, *out.mutable_final_stats());
}

}  // namespace millrace::control::grpc
