#include "control/grpc/translate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "control/grpc/session_name.hpp"

namespace millrace::control::grpc {

namespace {

using flow::Transport;

std::unexpected<Problem> refuse(std::string text) { return std::unexpected{invalid(std::move(text))}; }

enum class PortRule : std::uint8_t { any, not_zero };

std::expected<net::Address, Problem> to_address(std::string_view text, std::string_view field) {
  if (text.empty()) return refuse(fmt::format("{}.address: an IPv4 or IPv6 address is wanted", field));
  std::string_view bare = text;
  if (bare.size() > 2 && bare.front() == '[' && bare.back() == ']') bare = bare.substr(1, bare.size() - 2);
  if (bare.find('%') != std::string_view::npos) {
    return refuse(fmt::format("{}.address: {} has a scope, addresses with one are not taken", field, quoted(text)));
  }
  const auto address = net::Address::parse(bare);
  if (!address || (bare.size() != text.size() && !text.contains(':'))) {
    return refuse(
        fmt::format("{}.address: {} is not an IP address; an IPv4 or IPv6 address is wanted, no name and no port",
                    field, quoted(text)));
  }
  return *address;
}

std::expected<net::Endpoint, Problem> to_endpoint(const pb::Endpoint& endpoint, std::string_view field, PortRule rule) {
  const auto address = to_address(endpoint.address(), field);
  if (!address) return std::unexpected{address.error()};
  // Ours may be everywhere, a peer is somewhere.
  if (rule == PortRule::not_zero && address->is_any()) {
    return refuse(
        fmt::format("{}.address: {} is the unspecified address; a certain one is wanted", field, endpoint.address()));
  }
  if (endpoint.port() > 65535) {
    return refuse(fmt::format("{}.port: {} is above 65535", field, endpoint.port()));
  }
  if (rule == PortRule::not_zero && endpoint.port() == 0) {
    return refuse(fmt::format("{}.port: a port from 1 to 65535 is wanted", field));
  }
  return net::Endpoint{*address, Port{static_cast<std::uint16_t>(endpoint.port())}};
}

// Both sides' transports, from three fields that must fit together.
struct Transports {
  Transport caller, callee;
};

std::expected<pb::Protocol, Problem> to_protocol(pb::Protocol protocol, std::string_view field) {
  if (protocol == pb::UDP || protocol == pb::TCP) return protocol;
  return refuse(fmt::format("{}: UDP (1) or TCP (2) is wanted", field));
}

std::expected<Transports, Problem> to_transports(const pb::CreateSessionRequest& request) {
  const auto caller = to_protocol(request.protocol(), "protocol");
  if (!caller) return std::unexpected{caller.error()};
  const auto callee = request.forward_protocol() == pb::PROTOCOL_UNSPECIFIED
                          ? caller
                          : to_protocol(request.forward_protocol(), "forward_protocol");
  if (!callee) return std::unexpected{callee.error()};
  if (!pb::Framing_IsValid(request.framing())) {
    return refuse("framing: FRAMING_NONE (0) or FRAMING_RFC4571 (1) is wanted");
  }
  const bool framed = request.framing() == pb::FRAMING_RFC4571;
  if (framed && *caller == pb::UDP && *callee == pb::UDP) {
    return refuse("framing: only a TCP side can be framed, and both sides are UDP");
  }
  if (!framed && *caller != *callee) {
    return refuse(
        "forward_protocol: another one than protocol needs framing FRAMING_RFC4571, so that packets keep their ends");
  }
  const auto transport = [framed](pb::Protocol protocol) {
    if (protocol == pb::UDP) return Transport::datagram;
    return framed ? Transport::framed_stream : Transport::stream;
  };
  return Transports{.caller = transport(*caller), .callee = transport(*callee)};
}

// What would send a session's packets back into itself, or could never work.
struct Triangle {
  net::Endpoint listen, forward, destination;
  bool same_protocol = true;  // on both sides
};

std::expected<void, Problem> check_destination(const Triangle& of) {
  if (of.forward.address.family() != of.destination.address.family()) {
    return refuse(fmt::format(
        "destination_endpoint.address: {} cannot be reached from forward_endpoint {}: one is IPv4, the other IPv6",
        of.destination.address.to_string(), of.forward.address.to_string()));
  }
  const bool is_listen = of.same_protocol && of.destination == of.listen;
  if (is_listen || of.destination == of.forward) {
    return refuse(fmt::format("destination_endpoint: {} is the {}, packets would go round in a circle",
                              of.destination.to_string(), is_listen ? "listen_endpoint" : "forward_endpoint"));
  }
  return {};
}

std::expected<void, Problem> check_triangle(const Triangle& of) {
  if (of.same_protocol && of.listen == of.forward && of.listen.port != Port{}) {
    return refuse(
        fmt::format("forward_endpoint: {} is the listen_endpoint, another one is wanted", of.forward.to_string()));
  }
  return check_destination(of);
}

bool same_protocol(Transport a, Transport b) { return is_stream(a) == is_stream(b); }

std::expected<flow::RateLimit, Problem> to_limit(const pb::Limits& limits) {
  flow::RateLimit limit{.packets_per_second = limits.packets_per_second(), .bits_per_second = limits.bits_per_second()};
  if (limits.burst_ms() == 0) return limit;
  limit.burst = std::chrono::milliseconds{limits.burst_ms()};
  if (limit.burst < kShortestBurst || limit.burst > kLongestBurst) {
    return refuse(fmt::format("limits.burst_ms: {} is not within {} to {}", limits.burst_ms(), kShortestBurst.count(),
                              kLongestBurst.count()));
  }
  return limit;
}

std::expected<std::uint32_t, Problem> at_most(std::uint32_t value, std::uint32_t most, std::string_view field) {
  if (value > most) return refuse(fmt::format("{}: {} is above {}", field, value, most));
  return value;
}

std::expected<flow::StreamOptions, Problem> to_stream_options(const pb::TcpOptions& tcp) {
  flow::StreamOptions options;
  const auto connect = at_most(tcp.connect_timeout_ms(), kLongestConnectMs, "tcp.connect_timeout_ms");
  const auto keep_alive = at_most(tcp.keep_alive_seconds(), kLongestKeepAlive, "tcp.keep_alive_seconds");
  const auto user = at_most(tcp.user_timeout_seconds(), kLongestUserTimeout, "tcp.user_timeout_seconds");
  for (const auto* field : {&connect, &keep_alive, &user}) {
    if (!*field) return std::unexpected{field->error()};
  }
  if (*connect != 0) options.connect_timeout = std::chrono::milliseconds{*connect};
  if (*keep_alive != 0) options.keep_alive = std::chrono::seconds{*keep_alive};
  if (*user != 0) options.user_timeout = std::chrono::seconds{*user};
  return options;
}

// What a Create says of itself beside its endpoints.
std::expected<session::SessionOptions, Problem> to_options(const pb::CreateSessionRequest& request) {
  session::SessionOptions options;
  options.idle_timeout = std::chrono::seconds{request.timeout_seconds()};
  options.stats_interval = std::chrono::seconds{request.stats_interval_seconds()};
  if (request.has_limits()) {
    const auto limit = to_limit(request.limits());
    if (!limit) return std::unexpected{limit.error()};
    options.limit = *limit;
  }
  const auto stream = to_stream_options(request.tcp());
  if (!stream) return std::unexpected{stream.error()};
  options.stream = *stream;
  return options;
}

std::optional<session::State> to_state(pb::SessionState state) {
  switch (state) {
    case pb::CONNECTING: return session::State::connecting;
    case pb::ACTIVE: return session::State::active;
    case pb::ERROR: return session::State::failed;
    case pb::CLOSED: return session::State::closed;
    default: return std::nullopt;
  }
}

}  // namespace

std::expected<session::Create, Problem> to_create(const pb::CreateSessionRequest& request) {
  session::Create create;
  if (const auto fine = check_new_session_id(request.session_id()); !fine) return std::unexpected{fine.error()};
  create.call_id = request.session_id();
  if (const auto& id = request.request_id(); id.size() > kMaxRequestId) {
    return refuse(fmt::format("request_id: has {} bytes, at most {} are allowed", id.size(), kMaxRequestId));
  }
  const auto listen = to_endpoint(request.listen_endpoint(), "listen_endpoint", PortRule::any);
  if (!listen) return std::unexpected{listen.error()};
  const auto forward = to_endpoint(request.forward_endpoint(), "forward_endpoint", PortRule::any);
  if (!forward) return std::unexpected{forward.error()};
  const auto destination = to_endpoint(request.destination_endpoint(), "destination_endpoint", PortRule::not_zero);
  if (!destination) return std::unexpected{destination.error()};
  const auto transports = to_transports(request);
  if (!transports) return std::unexpected{transports.error()};
  create.caller = {.local = *listen, .transport = transports->caller};
  create.callee = {.local = *forward, .transport = transports->callee};
  create.destination = *destination;
  const Triangle triangle{.listen = *listen,
                          .forward = *forward,
                          .destination = *destination,
                          .same_protocol = same_protocol(transports->caller, transports->callee)};
  if (const auto fine = check_triangle(triangle); !fine) return std::unexpected{fine.error()};

  auto options = to_options(request);
  if (!options) return std::unexpected{options.error()};
  create.options = *options;
  auto labels = to_labels(request.labels());
  if (!labels) return std::unexpected{labels.error()};
  create.labels = std::move(*labels);
  return create;
}

std::expected<session::Update, Problem> to_update(const pb::UpdateSessionRequest& request) {
  if (const auto fine = check_known_session_id(request.session_id(), "session_id"); !fine) {
    return std::unexpected{fine.error()};
  }
  session::Update update{.call_id = request.session_id()};
  if (request.has_destination_endpoint()) {
    const auto destination = to_endpoint(request.destination_endpoint(), "destination_endpoint", PortRule::not_zero);
    if (!destination) return std::unexpected{destination.error()};
    update.destination = *destination;
  }
  if (request.has_timeout_seconds()) update.options.idle_timeout = std::chrono::seconds{request.timeout_seconds()};
  if (request.has_stats_interval_seconds()) {
    update.options.stats_interval = std::chrono::seconds{request.stats_interval_seconds()};
  }
  if (request.has_limits()) {
    const auto limit = to_limit(request.limits());
    if (!limit) return std::unexpected{limit.error()};
    update.options.limit = *limit;
  }
  return update;
}

std::expected<void, Problem> check_update(const session::Update& update, const session::View& view) {
  if (!update.destination) return {};
  const auto& caller = view.side(session::Side::offerer);
  const auto& callee = view.side(session::Side::answerer);
  return check_destination({.listen = caller.local,
                            .forward = callee.local,
                            .destination = *update.destination,
                            .same_protocol = same_protocol(caller.transport, callee.transport)});
}

std::expected<session::Labels, Problem> to_labels(const ::google::protobuf::Map<std::string, std::string>& labels) {
  if (labels.size() > kMaxLabels) {
    return refuse(fmt::format("labels: {} of them, at most {} are allowed", labels.size(), kMaxLabels));
  }
  session::Labels result;
  for (const auto& [key, value] : labels) {
    if (key.empty() || key.size() > kMaxLabelKey) {
      return refuse(fmt::format("labels: a key has {} bytes, 1 to {} are allowed", key.size(), kMaxLabelKey));
    }
    if (value.size() > kMaxLabelValue) {
      return refuse(fmt::format("labels: the value of {} has {} bytes, at most {} are allowed", quoted(key),
                                value.size(), kMaxLabelValue));
    }
    if (has_control_characters(key) || has_control_characters(value)) {
      return refuse(fmt::format("labels: {} has control characters, they are not allowed", quoted(key)));
    }
    result.emplace(key, value);
  }
  return result;
}

bool has_labels(const session::Labels& all, const session::Labels& wanted) {
  return std::ranges::all_of(wanted, [&all](const auto& each) {
    const auto found = all.find(each.first);
    return found != all.end() && found->second == each.second;
  });
}

std::expected<ListWanted, Problem> to_list(const pb::ListSessionsRequest& request) {
  ListWanted wanted{.state = std::nullopt, .labels = {}, .calls = request.include_calls(), .after = {}};
  if (request.has_state_filter() && request.state_filter() != pb::SESSION_STATE_UNSPECIFIED) {
    wanted.state = to_state(request.state_filter());
    if (!wanted.state) return refuse("state_filter: CONNECTING (1), ACTIVE (2), ERROR (3) or CLOSED (4) is wanted");
  }
  auto labels = to_labels(request.labels());
  if (!labels) return std::unexpected{labels.error()};
  wanted.labels = std::move(*labels);
  if (request.page_size() != 0) wanted.page_size = std::min(request.page_size(), kMaxPageSize);
  if (!request.page_token().empty()) {
    const auto after = from_page_token(request.page_token());
    if (!after) return std::unexpected{after.error()};
    wanted.after = *after;
  }
  return wanted;
}

bool matches(const session::View& view, const ListWanted& wanted) {
  return (!wanted.state || *wanted.state == view.state) && has_labels(view.labels, wanted.labels);
}

std::string page_token(ConnectionId last) { return fmt::format("after-{:x}", last.value()); }

std::expected<ConnectionId, Problem> from_page_token(std::string_view token) {
  constexpr std::string_view kPrefix = "after-";
  std::uint64_t last = 0;
  if (token.starts_with(kPrefix)) {
    const auto* end = token.data() + token.size();
    const auto read = std::from_chars(token.data() + kPrefix.size(), end, last, 16);
    if (read.ec == std::errc{} && read.ptr == end && last != 0) return ConnectionId{last};
  }
  return refuse("page_token: not a next_page_token of this server");
}

}  // namespace millrace::control::grpc
