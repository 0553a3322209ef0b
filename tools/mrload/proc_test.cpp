#include "mrload/proc.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

#include "mrload/batch.hpp"
#include "net/udp.hpp"

namespace millrace::mrload {
namespace {

TEST(Proc, sees_memory_that_is_touched) {
  constexpr std::size_t kSize = 32 << 20;
  const auto before = usage_of(getpid());
  const std::vector<char> memory(kSize, 'x');
  const auto after = usage_of(getpid());
  ASSERT_TRUE(before && after) << memory.front();
  EXPECT_GE(after->resident, before->resident + kSize * 9 / 10);
  EXPECT_GE(after->threads, 1u);
}

TEST(Proc, sees_processor_time_that_is_used) {
  const auto before = usage_of(getpid());
  volatile std::uint64_t work = 0;
  for (int i = 0; i < 20'000'000; ++i) work = work + 1;
  const auto after = usage_of(getpid());
  ASSERT_TRUE(before && after);
  EXPECT_GT(after->cpu, before->cpu);
}

TEST(Proc, sees_datagrams_that_a_full_socket_lost) {
  const auto local = net::Endpoint{*net::Address::parse("127.0.0.1"), Port{0}};
  const auto socket = net::bind_udp(local, {.receive_buffer = 4'096, .timestamps = false});
  ASSERT_TRUE(socket) << socket.error().message();
  const auto to = SocketAddress::of(*net::local_endpoint(socket->get()));
  const auto before = host_drops();
  SendBatch batch{200, 1'000};
  while (!batch.full()) batch.add(to);
  ASSERT_TRUE(batch.flush(socket->get()));
  EXPECT_GT(host_drops().full_sockets, before.full_sockets);
}

TEST(Proc, says_so_when_there_is_no_such_process) {
  const auto usage = usage_of(1 << 30);
  ASSERT_FALSE(usage);
  EXPECT_NE(usage.error().find("process 1073741824"), std::string::npos);
}

}  // namespace
}  // namespace millrace::mrload
