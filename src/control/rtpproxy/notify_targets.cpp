#include "control/rtpproxy/notify_targets.hpp"

#include "base/parse.hpp"

namespace millrace::control::rtpproxy {
namespace {

constexpr std::string_view kUnix = "unix:", kTcp = "tcp:", kSelf = "%%CC_SELF%%";

std::string_view without_unix(std::string_view text) {
  if (text.starts_with(kUnix)) text.remove_prefix(kUnix.size());
  return text;
}

// The address that %%CC_SELF%% stands for: only IPv4 senders have one, others are taken to be on this machine.
std::string self_of(const Origin& origin) {
  const bool ipv4 = origin.peer.address.family() == net::Family::ipv4;
  return ipv4 ? origin.peer.address.to_string() : "127.0.0.1";
}

}  // namespace

std::expected<NotifyTargets, std::string> NotifyTargets::parse(std::span<const std::string> texts) {
  NotifyTargets result;
  std::size_t wildcards = 0;
  for (const std::string& text : texts) {
    Target target{.text = std::string{without_unix(text)}, .wildcard_port = {}};
    if (target.text.empty()) return std::unexpected{"a notification target is empty"};
    if (target.text.starts_with(kTcp)) {
      const std::size_t colon = target.text.rfind(':');
      const std::string host = colon < kTcp.size() ? "" : target.text.substr(kTcp.size(), colon - kTcp.size());
      const std::string port = target.text.substr(colon + 1);
      if (host.empty() || parse_number<std::uint16_t>(port).value_or(0) == 0) {
        return std::unexpected{"notification target '" + text + "': expected tcp:HOST:PORT"};
      }
      if (host == kSelf) target.wildcard_port = port;
    }
    wildcards += target.wildcard_port.empty() ? 0 : 1;
    result.targets_.push_back(std::move(target));
  }
  if (wildcards > kMaxWildcardTargets) return std::unexpected{"more than 2 notification targets with %%CC_SELF%%"};
  if (result.targets_.size() - wildcards > kMaxTargets) return std::unexpected{"more than 64 notification targets"};
  return result;
}

std::optional<std::string> NotifyTargets::resolve(std::string_view asked, const Origin& origin) const {
  asked = without_unix(asked);
  for (const Target& target : targets_) {
    if (target.text != asked) continue;
    if (!target.wildcard_port.empty()) {
      std::string resolved = "tcp:" + self_of(origin) + ":" + target.wildcard_port;
      const net::Address& local = origin.local.address;
      if (local.family() == net::Family::ipv4 && !local.is_any()) resolved += " from " + local.to_string();
      return resolved;
    }
    return target.text.starts_with(kTcp) ? target.text : "unix:" + target.text;
  }
  return std::nullopt;
}

std::optional<session::Notify> NotifyTargets::resolve_joined(std::string_view word, const Origin& origin) const {
  for (std::size_t end = word.find(';'); end != std::string_view::npos; end = word.find(';', end + 1)) {
    auto target = resolve(word.substr(0, end), origin);
    if (!target) continue;
    // A tag that cannot be decoded makes it a to-tag after all: the command must not fail for a guess of ours.
    if (auto tag = url_decode(word.substr(end + 1))) return session::Notify{std::move(*target), std::move(*tag)};
  }
  return std::nullopt;
}

std::optional<std::string> url_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const auto byte = i + 2 < text.size() ? parse_number<std::uint8_t>(text.substr(i + 1, 2), 16) : std::nullopt;
      if (!byte) return std::nullopt;
      decoded += static_cast<char>(*byte);
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

}  // namespace millrace::control::rtpproxy
