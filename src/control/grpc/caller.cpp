#include "control/grpc/caller.hpp"

#include <fmt/format.h>
#include <grpcpp/server_context.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/time.hpp"
#include "base/utf8.hpp"

namespace millrace::control::grpc {

namespace {

constexpr std::size_t kMaxNotedSession = 512;  // bytes

std::string without_escapes(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned byte = 0;
    if (text[at] == '%' && at + 2 < text.size() &&
        std::from_chars(text.data() + at + 1, text.data() + at + 3, byte, 16).ptr == text.data() + at + 3) {
      plain.push_back(static_cast<char>(byte));
      at += 2;
    } else {
      plain.push_back(text[at]);
    }
  }
  return plain;
}

std::string_view view_of(::grpc::string_ref text) { return {text.data(), text.size()}; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

access::Credentials credentials_of(const ::grpc::CallbackServerContext& context, const std::string& peer) {
  access::Credentials shown;
  const auto& metadata = context.client_metadata();
  if (const auto found = metadata.find("authorization"); found != metadata.end()) {
    // Another scheme, or nothing behind it, is a token that nobody has: whoever meant to show one is told so.
    shown.bearer_token = std::string{token_of(view_of(found->second))};
  }
  if (const auto auth = context.auth_context(); auth != nullptr) {
    for (const auto* property : {"x509_subject_alternative_name", "x509_common_name"}) {
      for (const auto& name : auth->FindPropertyValues(property)) {
        shown.certificate_names.emplace_back(view_of(name));
      }
    }
    // A certificate without any name is one all the same, and its owner not somebody who showed nothing.
    const bool has_certificate = !auth->FindPropertyValues("x509_pem_cert").empty();
    if (has_certificate && shown.certificate_names.empty()) shown.certificate_names.emplace_back();
  }
  if (const auto address = address_of(peer)) shown.peer = *address;
  return shown;
}

}  // namespace

std::string readable_peer(std::string_view peer) {
  for (const std::string_view scheme : {"ipv4:", "ipv6:"}) {
    if (peer.starts_with(scheme)) {
      std::string text = without_escapes(peer.substr(scheme.size()));
      // A dual-stack socket shows IPv4 as ::ffff:a.b.c.d.
      const auto endpoint = net::Endpoint::parse(text);
      return endpoint ? endpoint->to_string() : text;
    }
  }
  return std::string{peer};
}

std::optional<net::Address> address_of(std::string_view readable_peer) {
  std::string text{readable_peer};
  if (const auto scope = text.find('%'); scope != std::string::npos) text.erase(scope, text.find(']', scope) - scope);
  const auto endpoint = net::Endpoint::parse(text);
  return endpoint ? std::optional{endpoint->address} : std::nullopt;
}

std::string_view token_of(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size()) return {};
  const auto scheme = authorization.substr(0, kScheme.size());
  if (!std::ranges::equal(scheme, kScheme, {}, lower)) return {};
  const auto begin = authorization.find_first_not_of(' ', kScheme.size());
  return begin == std::string_view::npos ? std::string_view{} : authorization.substr(begin);
}

std::expected<void, Problem> admit(const ::grpc::CallbackServerContext& context, const MethodFacts& method,
                                   access::Access& access, Caller& caller) {
  caller.peer = readable_peer(context.peer());
  auto identity = access.identify(credentials_of(context, caller.peer));
  if (!identity) return std::unexpected{problem_of(identity.error())};
  caller.identity = std::move(*identity);
  // What is refused for its role has been a command all the same.
  auto may = access.count_command(caller.identity.name, read_clocks().mono);
  if (may) may = access.require(caller.identity, method.role);
  if (!may) return std::unexpected{problem_of(may.error())};
  return {};
}

void note(access::Audit& audit, const Caller& caller, const MethodFacts& method, const Noted& noted) {
  if (!audit.enabled()) return;
  // Cut within a character at worst: made UTF-8 again, because the line is JSON.
  const std::string session = to_utf8(noted.session.substr(0, kMaxNotedSession));
  audit.note({.identity = caller.identity.name,
              .peer = caller.peer,
              .protocol = "grpc",
              .command = method.name,
              .session = session,
              .result = name_of(noted.result),
              .reason = noted.reason,
              .unasked = noted.unasked},
             read_clocks().wall);
}

}  // namespace millrace::control::grpc
