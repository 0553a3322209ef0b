// Proves two promises of the packet path: it takes no lock and it allocates nothing. This binary's malloc and
// pthread_mutex_lock count their calls on the thread that asks. The sanitizers bring their own; their allocators tell
// us too, their locks do not.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include <cstdlib>

#include "dataplane/socket/socket_testing.hpp"
#include "dataplane/socket/stream_testing.hpp"
#include "dataplane/socket/worker.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define MR_SANITIZED
#include <sanitizer/allocator_interface.h>
#endif
#endif

namespace {
thread_local bool watching = false;
thread_local std::size_t allocations = 0;
thread_local std::size_t locks = 0;

void count(std::size_t& what) {
  if (watching) ++what;
}
}  // namespace

#ifndef MR_SANITIZED
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);

void* malloc(std::size_t size) {
  count(allocations);
  return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) {
  count(allocations);
  return __libc_calloc(number, size);
}
void* realloc(void* old, std::size_t size) {
  count(allocations);
  return __libc_realloc(old, size);
}
int pthread_mutex_lock(pthread_mutex_t* mutex) {
  using Function = int (*)(pthread_mutex_t*);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "pthread_mutex_lock"));
  count(locks);
  return real(mutex);
}
}
#else
const int hooked = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) { count(allocations); }, [](const volatile void*) {});
#endif

namespace millrace::dataplane {
namespace {

using flow::Drop;
using flow::Slot;
using testing::endpoint;
using testing::LiveCall;
using testing::Peer;
using testing::rtp_packet;

// Allocations and locks of what runs while it lives.
struct Watch {
  Watch() {
    allocations = locks = 0;
    watching = true;
  }
  ~Watch() { watching = false; }
};

TEST(PacketPath, the_watch_sees_an_allocation_and_a_lock) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  const Watch watch;
  auto* volatile memory = new int{1};
  delete memory;
  pthread_mutex_lock(&mutex);
  pthread_mutex_unlock(&mutex);
  EXPECT_EQ(allocations, 1u);
#ifndef MR_SANITIZED
  EXPECT_EQ(locks, 1u);
#endif
}

TEST(PacketPath, allocates_nothing_and_locks_nothing) {
  flow::CounterArena arena;
  net::UniqueFd bell{::eventfd(0, EFD_NONBLOCK)};
  const auto worker = Worker::create(0, bell.get()).value();
  LiveCall call{arena, 1};
  LiveCall fork{arena, 2};
  call.plan.port(Slot::answerer_rtp).double_small = true;
  call.plan.port(Slot::offerer_rtp).egresses.push_back({.connection = ConnectionId{2}, .slot = Slot::answerer_rtp});
  LiveCall refused{arena, 3};
  refused.plan.port(Slot::answerer_rtp).signalled = endpoint("[::1]:4000");   // out of an IPv4 socket
  LiveCall strict{arena, 4};
  strict.plan.port(Slot::offerer_rtp).latching.policy = flow::LatchPolicy::strict;
  LiveCall incomplete{arena, 5};
  incomplete.plan.plan.complete = false;
  for (LiveCall* one : {&call, &fork, &refused, &strict, &incomplete}) {
    ASSERT_TRUE(worker->post(one->take_installation()));
  }
  worker->run_turn(0);

  Peer stranger{"127.0.0.1"};
  const std::vector<std::byte> too_long(flow::kMaxDatagram + 1);
  const auto report = millrace::dataplane::testing::rtp_packet(1, 20);
  for (std::uint16_t round = 1; round <= 50; ++round) {
    Peer moved{"127.0.0.1"};
    call.offerer.send(rtp_packet(round), call.local(Slot::offerer_rtp));
    call.answerer.send(rtp_packet(round, 10), call.local(Slot::answerer_rtp));
    call.offerer.send(report, call.local(Slot::offerer_rtcp));
    call.offerer.send(too_long, call.local(Slot::offerer_rtp));
    moved.send(rtp_packet(round, 10, round), fork.local(Slot::offerer_rtp));   // learned, at least once
    refused.offerer.send(rtp_packet(round), refused.local(Slot::offerer_rtp));
    stranger.send(rtp_packet(round), strict.local(Slot::offerer_rtp));
    stranger.send(rtp_packet(round), incomplete.local(Slot::offerer_rtp));

    const std::uint64_t before = worker->statistics().packets_in.value();
    const Watch watch;
    for (int i = 0; i < 1000 && worker->statistics().packets_in.value() < before + 8; ++i) worker->run_turn(1);
    ASSERT_GE(worker->statistics().packets_in.value(), before + 8);   // others use this host's ports, too
    ASSERT_EQ(allocations, 0u) << "round " << round;
    ASSERT_EQ(locks, 0u) << "round " << round;
  }
  // Each of these ways was really taken.
  EXPECT_EQ(call.plan.sample(Slot::offerer_rtp)[Drop::too_long], 50u);
  EXPECT_EQ(refused.plan.sample(Slot::offerer_rtp)[Drop::send_failed], 50u);
  EXPECT_EQ(strict.plan.sample(Slot::offerer_rtp)[Drop::wrong_source], 50u);
  EXPECT_EQ(incomplete.plan.sample(Slot::offerer_rtp)[Drop::not_complete], 50u);
  EXPECT_GE(worker->statistics().packets_out.value(), 200u);
}

// Bytes and packets of streams that stand, and a datagram that leaves on one. Pipes were made by what came before.
class StreamPath : public testing::StreamTest {};

TEST_F(StreamPath, allocates_nothing_and_locks_nothing) {
  using flow::Transport;
  const testing::Call plain = session(Transport::stream, Transport::stream, 1);
  install(plain);
  testing::TcpPeer plain_client = client_of(plain), plain_destination = arrived();
  const testing::Call framed = session(Transport::framed_stream, Transport::framed_stream, 2);
  install(framed);
  testing::TcpPeer framed_client = client_of(framed), framed_destination = arrived();
  testing::Call mixed = session(Transport::datagram, Transport::framed_stream, 3);
  mixed.plan.limit = {.packets_per_second = 1'000'000, .bits_per_second = 0, .burst = std::chrono::seconds{1}};
  install(mixed);
  Peer udp{"127.0.0.1"};
  udp.send(rtp_packet(0), mixed.plan.ports.front().local);
  const testing::TcpPeer mixed_destination = arrived();
  turn();   // the worker hears of it, too

  const auto packet = rtp_packet(1);
  std::vector<std::byte> frame{std::byte{0}, static_cast<std::byte>(packet.size())};
  frame.insert(frame.end(), packet.begin(), packet.end());
  for (int round = 0; round < 50; ++round) {
    plain_client.send_some(packet);
    framed_client.send_some(frame);
    udp.send(packet, mixed.plan.ports.front().local);
    const std::uint64_t before = worker_->statistics().packets_out.value();
    const Watch watch;
    for (int i = 0; i < 1000 && worker_->statistics().packets_out.value() < before + 3; ++i) worker_->run_turn(1);
    ASSERT_EQ(worker_->statistics().packets_out.value(), before + 3);
    if (round == 0) continue;   // makes the pipe
    ASSERT_EQ(allocations, 0u) << "round " << round;
    ASSERT_EQ(locks, 0u) << "round " << round;
  }
}

}  // namespace
}  // namespace millrace::dataplane
