// Unframed streams through a worker, on real sockets; every wait is for a condition, with a deadline.
#include "dataplane/socket/streams.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/socket/stream_testing.hpp"

namespace millrace::dataplane {
namespace {

using flow::Count;
using flow::Slot;
using flow::Transport;
using testing::Bytes;
using testing::bytes_of;
using testing::Call;
using ::testing::ElementsAre;
using testing::pattern;
using testing::TcpPeer;

class StreamsTest : public testing::StreamTest {
 protected:
  Call plain() { return session(Transport::stream, Transport::stream); }
};

TEST_F(StreamsTest, connects_from_the_forward_port_when_a_client_comes_and_carries_both_ways) {
  Call call = plain();
  install(call);
  EXPECT_THAT(told(), ElementsAre("waiting"));
  TcpPeer client = client_of(call);
  TcpPeer destination = arrived();
  EXPECT_EQ(arrived_from_, call.port(Slot::answerer_rtp).local);
  EXPECT_TRUE(carries(client, destination, bytes_of("hello")));
  EXPECT_TRUE(carries(destination, client, bytes_of("good day")));
  EXPECT_THAT(told(), ElementsAre("connecting", "connected"));
  EXPECT_EQ(last_.client, net::local_endpoint(client.socket.get()).value());
  EXPECT_EQ(last_.local, call.port(Slot::answerer_rtp).local);
}

}  // namespace
}  // namespace millrace::dataplane
