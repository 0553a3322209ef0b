#include "control/admin/frontend.hpp"

#include <boost/json.hpp>

#include <algorithm>

#include <fmt/format.h>

#include "access/peer_name.hpp"
#include "control/admin/describe.hpp"
#include "control/admin/doctor.hpp"

namespace millrace::control::admin {
namespace {

namespace json = boost::json;
using Outcome = std::expected<std::string, std::string>;  // JSON text, or a sentence

constexpr std::size_t kMaxListed = 1000;   // calls in one answer, unless fewer are asked for
constexpr std::size_t kMaxDepth = 4;       // of a request's JSON

Outcome refuse(std::string sentence) { return std::unexpected{std::move(sentence)}; }

std::string text_at(const json::object& request, std::string_view key) {
  const auto* value = request.if_contains({key.data(), key.size()});
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string{} : std::string{text->data(), text->size()};
}

std::size_t limit_at(const json::object& request) {
  const auto* value = request.if_contains("limit");
  const auto* number = value == nullptr ? nullptr : value->if_int64();
  return number == nullptr || *number < 1 ? kMaxListed : std::min(static_cast<std::size_t>(*number), kMaxListed);
}

struct Service {
  const session::Calls& calls;
  Node& node;
  Now now;

  Outcome status(const json::object&) { return describe_status(node.facts(), calls.totals(), now); }

  Outcome list(const json::object& request) {
    const auto contains = text_at(request, "contains");
    const auto limit = limit_at(request);
    std::vector<const session::Call*> chosen;
    std::size_t matching = 0;
    for (const auto* call : calls.list()) {
      if (call->id().find(contains) == std::string::npos) continue;
      ++matching;
      if (chosen.size() < limit) chosen.push_back(call);
    }
    return describe_calls(chosen, matching, now);
  }

  Outcome call(const json::object& request) {
    const auto id = text_at(request, "id");
    if (id.empty()) return refuse("which call? Give its call-id as \"id\"");
    const auto* found = calls.find(id);
    if (found == nullptr) return refuse(fmt::format("there is no call '{}' (it may have ended)", id));
    return describe_call(*found, now);
  }

  Outcome drain(const json::object&) {
    node.drain();
    return fmt::format(R"({{"connections":{}}})", calls.totals().active_connections);
  }

  Outcome log(const json::object& request) {
    const auto set = node.set_log_level(text_at(request, "level"), text_at(request, "call"));
    if (!set) return refuse(set.error());
    return "{}";
  }

  Outcome doctor(const json::object&) {
    const auto facts = node.facts();
    return describe_findings(examine(facts, read_host_facts(facts.pid)));
  }
};

struct Row {
  std::string_view name;
  Outcome (Service::*run)(const json::object&);
  bool changes = false;
};
constexpr std::array kCommands{Row{"status", &Service::status}, Row{"calls", &Service::list},
                               Row{"call", &Service::call},     Row{"drain", &Service::drain, true},
                               Row{"log", &Service::log, true}, Row{"doctor", &Service::doctor}};

// Who asks, and the log of what was changed; null: there is none.
struct Witness {
  access::Audit* audit;
  const Origin& origin;
  WallTime now;

  void note(std::string_view command, std::string_view call, const Outcome& outcome) const {
    const auto name = access::peer_name(origin.peer, origin.user_id);
    audit->note({.identity = name.identity,
                 .peer = name.peer,
                 .protocol = "admin",
                 .command = command,
                 .session = call,
                 .result = outcome ? "OK" : "error",
                 .reason = outcome ? std::string_view{} : outcome.error()},
                now);
  }
};

Outcome run_noted(const Row& row, const json::object& request, Service& service, const Witness& witness) {
  auto outcome =
      witness.audit->allows_commands() ? (service.*row.run)(request) : refuse(std::string{access::kNotAudited});
  witness.note(row.name, text_at(request, "call"), outcome);
  return outcome;
}

Outcome run(std::string_view body, Service service, const Witness& witness) {
  json::error_code error;
  const auto value = json::parse({body.data(), body.size()}, error, {}, {.max_depth = kMaxDepth});
  if (error || !value.is_object())
    return refuse("a request is one JSON object a line, such as {\"command\":\"status\"}");
  const auto& request = value.get_object();
  const auto command = text_at(request, "command");
  const auto row = std::ranges::find(kCommands, command, &Row::name);
  if (row == kCommands.end()) {
    return refuse(fmt::format("unknown command '{}'; there are status, calls, call, drain, log, doctor", command));
  }
  if (row->changes && witness.audit != nullptr) return run_noted(*row, request, service, witness);
  return (service.*row->run)(request);
}

std::string error_line(std::string_view sentence) {
  return fmt::format("{{\"ok\":false,\"error\":{}}}\n",
                     json::serialize(json::string_view{sentence.data(), sentence.size()}));
}

}  // namespace

void AdminFrontend::serve(std::string_view body, const Origin& origin, std::string& answer) {
  const auto now = clock_();
  const auto outcome = run(body, Service{.calls = calls_, .node = node_, .now = now},
                           Witness{.audit = audit_, .origin = origin, .now = now.wall});
  answer += outcome ? fmt::format("{{\"ok\":true,\"result\":{}}}\n", *outcome) : error_line(outcome.error());
}

void AdminFrontend::refuse_too_long(std::string& answer) { answer += error_line("the request is too long"); }

}  // namespace millrace::control::admin
