#include "mrctl/client.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/error.hpp"
#include "net/unique_fd.hpp"

namespace millrace::mrctl {
namespace {

namespace json = boost::json;
using Failure = std::unexpected<std::string>;

constexpr timeval kPatience{.tv_sec = 5, .tv_usec = 0};
constexpr std::size_t kMaxAnswer = 64 << 20;  // bytes: far above a thousand calls

std::string cannot_reach(const std::string& path) {
  const auto reason = std::string{std::strerror(errno)};
  const char* advice =
      errno == EACCES ? "it is for root, the daemon's user and its admin group"
                      : "is the daemon running? Its setting admin.socket says where it listens (mrctl --socket PATH)";
  return fmt::format("the daemon does not answer at {}: {}; {}", path, reason, advice);
}

std::expected<net::UniqueFd, std::string> connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Failure{fmt::format("{}: the path is too long for a socket", path)};
  std::memcpy(static_cast<char*>(address.sun_path), path.c_str(), path.size() + 1);
  net::UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Failure{cannot_reach(path)};
  }
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    (void)::setsockopt(socket.get(), SOL_SOCKET, option, &kPatience, sizeof kPatience);
  }
  return socket;
}

std::expected<std::string, std::string> exchange(int socket, const std::string& path, const std::string& line) {
  if (::send(socket, line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) {
    return Failure{cannot_reach(path)};
  }
  std::string answer;
  std::array<char, 65536> chunk;
  while (answer.size() < kMaxAnswer && !answer.ends_with('\n')) {
    const auto size = ::recv(socket, chunk.data(), chunk.size(), 0);
    if (size < 0) return Failure{cannot_reach(path)};
    if (size == 0) return Failure{fmt::format("the daemon at {} closed the connection without an answer", path)};
    answer.append(chunk.data(), static_cast<std::size_t>(size));
  }
  return answer;
}

}  // namespace

std::expected<json::object, std::string> ask(const std::string& socket_path, const json::object& request) {
  const auto socket = connect(socket_path);
  if (!socket) return Failure{socket.error()};
  const auto line = exchange(socket->get(), socket_path, json::serialize(request) + "\n");
  if (!line) return Failure{line.error()};
  json::error_code error;
  const auto answer = json::parse(*line, error);
  if (error || !answer.is_object() || !answer.get_object().contains("ok")) {
    return Failure{fmt::format("{} does not speak mrctl's language: {}", socket_path, line->substr(0, 80))};
  }
  const auto& object = answer.get_object();
  if (!object.at("ok").as_bool()) return Failure{std::string{object.at("error").as_string()}};
  return object.at("result").as_object();
}

}  // namespace millrace::mrctl
