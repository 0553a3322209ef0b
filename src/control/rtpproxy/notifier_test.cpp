#include "control/rtpproxy/notifier.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <chrono>
#include <optional>
#include <string>

namespace millrace::control::rtpproxy {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using session::EndReason;

session::Change ended(EndReason reason, std::string target, std::string tag) {
  session::ConnectionEnded what{};
  what.reason = reason;
  what.notify = session::Notify{std::move(target), std::move(tag)};
  session::Change change{};
  change.what = std::move(what);
  return change;
}

class NotifierTest : public ::testing::Test {
 protected:
  void tell(const std::string& target, const std::string& tag, EndReason reason = EndReason::idle_timeout) {
    notifier_.on_change(ended(reason, target, tag));
  }

  // Turns the loop until `done` or a generous time is over; nothing here waits for a clock.
  template <class Done>
  bool run_until(Done done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (!done() && std::chrono::steady_clock::now() < limit) {
      io_.restart();
      io_.run_for(std::chrono::milliseconds{5});
    }
    return done();
  }

  // What `peer` has been sent, as soon as it is `lines` long.
  template <class Stream>
  std::string read_lines(Stream& peer, std::size_t lines) {
    peer.non_blocking(true);
    std::string text;
    run_until([&] {
      char buffer[256];
      boost::system::error_code error;
      text.append(buffer, peer.read_some(asio::buffer(buffer), error));
      return static_cast<std::size_t>(std::ranges::count(text, '\n')) >= lines;
    });
    return text;
  }

  template <class Acceptor>
  auto accept(Acceptor& acceptor) {
    acceptor.non_blocking(true);
    std::optional<typename Acceptor::protocol_type::socket> peer;
    run_until([&] {
      boost::system::error_code error;
      auto socket = acceptor.accept(error);
      if (!error) peer.emplace(std::move(socket));
      return peer.has_value();
    });
    EXPECT_TRUE(peer.has_value()) << "nobody connected";
    return std::move(*peer);
  }

  asio::io_context io_;
  std::vector<std::string> dropped_;
  Notifier notifier_{io_, [this](std::string_view target, std::string_view) { dropped_.emplace_back(target); }};
  Tcp::acceptor acceptor_{io_, Tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
  const std::string target_ = "tcp:127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
};

TEST_F(NotifierTest, tag_and_line_feed_arrive_over_one_connection) {
  tell(target_, "the tag x;1");
  tell(target_, "second");
  auto peer = accept(acceptor_);
  EXPECT_EQ(read_lines(peer, 2), "the tag x;1\nsecond\n");
  tell(target_, "third");
  EXPECT_EQ(read_lines(peer, 1), "third\n");
  EXPECT_TRUE(run_until([&] { return notifier_.counters().sent == 3; }));
}

TEST_F(NotifierTest, only_timers_are_told) {
  for (const EndReason reason : {EndReason::deleted, EndReason::all_deleted, EndReason::shutdown}) {
    tell(target_, "silent", reason);
  }
  notifier_.on_change({});
  for (const EndReason reason :
       {EndReason::idle_timeout, EndReason::setup_timeout, EndReason::held_timeout, EndReason::max_duration}) {
    tell(target_, "told", reason);
  }
  auto peer = accept(acceptor_);
  EXPECT_EQ(read_lines(peer, 4), "told\ntold\ntold\ntold\n");
}

TEST_F(NotifierTest, local_socket_is_reached_by_its_path) {
  const std::string path = ::testing::TempDir() + "millrace-notify-" + std::to_string(::getpid());
  ::unlink(path.c_str());
  asio::local::stream_protocol::acceptor local{io_, asio::local::stream_protocol::endpoint{path}};
  tell("unix:" + path, "T7");
  auto peer = accept(local);
  EXPECT_EQ(read_lines(peer, 1), "T7\n");
  ::unlink(path.c_str());
}

TEST_F(NotifierTest, source_address_is_the_one_that_the_target_names) {
  tell(target_ + " from 127.0.0.5", "self");
  auto peer = accept(acceptor_);
  EXPECT_EQ(peer.remote_endpoint().address().to_string(), "127.0.0.5");
  EXPECT_EQ(read_lines(peer, 1), "self\n");
}

TEST_F(NotifierTest, peer_that_left_is_connected_again) {
  tell(target_, "one");
  {
    auto peer = accept(acceptor_);
    EXPECT_EQ(read_lines(peer, 1), "one\n");
  }
  tell(target_, "two");
  auto again = accept(acceptor_);
  EXPECT_EQ(read_lines(again, 1), "two\n");
  EXPECT_TRUE(dropped_.empty());
}

TEST_F(NotifierTest, target_that_nobody_listens_on_loses_its_notifications_and_no_others) {
  Tcp::acceptor closed{io_, Tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
  const std::string dead = "tcp:127.0.0.1:" + std::to_string(closed.local_endpoint().port());
  closed.close();
  tell(dead, "lost");
  tell("unix:/nonexistent/n.sock", "lost");
  tell("unix:/" + std::string(200, 'x'), "lost");
  tell(target_, "told");
  auto peer = accept(acceptor_);
  EXPECT_EQ(read_lines(peer, 1), "told\n");
  EXPECT_TRUE(run_until([&] { return notifier_.counters().dropped == 3; }));
  EXPECT_EQ(dropped_.size(), 3u);
}

TEST_F(NotifierTest, target_that_is_far_behind_loses_what_is_too_much) {
  for (std::size_t i = 0; i < kMaxWaiting + 7; ++i) tell(target_, "x");
  EXPECT_EQ(notifier_.counters().dropped, 7u);
  auto peer = accept(acceptor_);
  EXPECT_EQ(read_lines(peer, kMaxWaiting).size(), 2 * kMaxWaiting);
}

TEST(Notifier, may_go_while_a_connection_is_being_made) {
  asio::io_context io;
  Tcp::acceptor acceptor{io, Tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
  {
    Notifier notifier{io};
    notifier.on_change(
        ended(EndReason::idle_timeout, "tcp:127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()), "x"));
    io.poll_one();
  }
  io.poll();
}

}  // namespace
}  // namespace millrace::control::rtpproxy
