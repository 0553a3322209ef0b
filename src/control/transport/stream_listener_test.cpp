#include "control/transport/stream_listener.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "net/unique_fd.hpp"

namespace millrace::control::transport {
namespace {

// Answers every line with itself.
class Echo final : public Frontend {
 public:
  [[nodiscard]] Split split(std::string_view datagram) const override { return {.cookie = {}, .body = datagram}; }
  void serve(std::string_view body, const Origin&, std::string& answer) override { answer.append(body).append("\n"); }
  void refuse_too_long(std::string&) override {}
};

class StreamListenerTest : public ::testing::Test {
 protected:
  StreamListenerTest() { EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0); }
  ~StreamListenerTest() override { (void)::setrlimit(RLIMIT_NOFILE, &limit); }

  // From here on no descriptor can be opened, until allow() comes.
  void allow_no_more() const {
    const net::UniqueFd next{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    const rlimit none{.rlim_cur = static_cast<rlim_t>(next.get()), .rlim_max = limit.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  void allow() const { ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0); }

  [[nodiscard]] static net::UniqueFd connect_to(const net::Endpoint& where) {
    net::UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_storage address{};
    const auto length = where.to_sockaddr(address);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
    return socket;
  }

  rlimit limit{};
  Echo echo;
  ReplyCache cache;
  ConnectionLimit connections;
  boost::asio::io_context io{1};
  Service service{.io = io,
                  .frontend = echo,
                  .cache = cache,
                  .connections = connections,
                  .after_batch = [] {},
                  .after_answers = [] {},
                  .end_of_input = [](Kind) {}};
};

TEST_F(StreamListenerTest, waits_for_descriptors_without_turning_round_and_takes_the_connection_then) {
  auto listener = listen_stream({.kind = Kind::tcp, .where = "127.0.0.1", .port = Port{0}}, {}, service);
  ASSERT_TRUE(listener) << listener.error().message();
  // UBSan looks at a type it has not seen before through a pipe of its own, which cannot be had later: the loop and
  // its timers run once before.
  boost::asio::steady_timer timer{io, std::chrono::milliseconds{0}};
  timer.async_wait([](boost::system::error_code) {});
  io.run_for(std::chrono::milliseconds{1});
  const auto client = connect_to((*listener)->local());
  ASSERT_EQ(::send(client.get(), "hello\n", 6, 0), 6);

  allow_no_more();
  const auto turns = io.run_for(std::chrono::milliseconds{50});
  EXPECT_LE(turns, 2u) << "one accept that failed, then a pause";
  allow();
  char answer[16];
  for (int i = 0; i < 100 && ::recv(client.get(), answer, sizeof answer, MSG_PEEK | MSG_DONTWAIT) < 0; ++i) {
    io.run_one_for(std::chrono::seconds{1});
  }
  EXPECT_EQ(::recv(client.get(), answer, sizeof answer, MSG_DONTWAIT), 6);
}

class UnixListenerTest : public StreamListenerTest {
 protected:
  ~UnixListenerTest() override { (void)::unlink(spec.where.c_str()); }
  [[nodiscard]] auto listen(bool take_over) {
    ListenOptions options;
    options.unix_take_over = take_over;
    return listen_stream(spec, options, service);
  }
  [[nodiscard]] bool exists() const { return ::access(spec.where.c_str(), F_OK) == 0; }

  const SocketSpec spec{.kind = Kind::unix_lines,
                        .where = ::testing::TempDir() + "listener_test." + std::to_string(::getpid()),
                        .port = Port{}};
};

TEST_F(UnixListenerTest, a_left_over_file_is_replaced_and_a_living_socket_only_when_that_is_meant) {
  const net::UniqueFd dead{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  spec.where.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);

  const auto first = listen(false);
  ASSERT_TRUE(first) << first.error().message();
  const auto second = listen(false);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EADDRINUSE);
  EXPECT_TRUE(listen(true));
}

TEST_F(UnixListenerTest, who_was_replaced_leaves_the_file_of_its_successor) {
  auto first = listen(true);
  ASSERT_TRUE(first);
  auto second = listen(true);
  ASSERT_TRUE(second);
  first->reset();
  EXPECT_TRUE(exists());
  second->reset();
  EXPECT_FALSE(exists());
}

TEST_F(StreamListenerTest, a_program_without_stdin_is_told_so_at_the_start) {
  const net::UniqueFd kept{::dup(STDIN_FILENO)};
  ::close(STDIN_FILENO);
  const auto listener = listen_stdio({.kind = Kind::stdio, .where = {}, .port = Port{}}, service);
  if (kept) (void)::dup2(kept.get(), STDIN_FILENO);
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().message(), "stdio: stdin: Bad file descriptor");
}

}  // namespace
}  // namespace millrace::control::transport
