// Load on the gRPC API, for `./mr bench grpc`. One connection; prints one JSON object.
//
//   api_load pairs  SERVER COUNT CONCURRENCY ADDRESSES   CreateSession + DestroySession
//   api_load list   SERVER SESSIONS ROUNDS ADDRESSES     ListSessions of that many, every page
//   api_load status SERVER SECONDS RATE                  GetSessionStatus at a rate, whatever the answers take
//   api_load watch  SERVER STREAMS                       event streams until the end of input
//   api_load tcp    SERVER PORT                          a TCP session to 127.0.0.1:PORT; prints where it listens
//
// ADDRESSES: sessions are spread over 127.0.1.1, 127.0.1.2, …, so that resting ports need not be used again.

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "control/grpc/rtpproxy.grpc.pb.h"

namespace {

using Clock = std::chrono::steady_clock;
using Stub = rtpproxy::RtpProxy::Stub;

constexpr int kBatch = 500;  // sessions of one CreateSessions

[[noreturn]] void fail(const std::string& why) {
  fmt::print(stderr, "api_load: {}\n", why);
  std::exit(1);
}

void check(const grpc::Status& status) {
  if (!status.ok()) fail(fmt::format("{} {}", static_cast<int>(status.error_code()), status.error_message()));
}

double milliseconds(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

double percentile(std::vector<double>& sorted, double part) {
  std::ranges::sort(sorted);
  return sorted.empty() ? 0 : sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

rtpproxy::CreateSessionRequest session(unsigned number, unsigned addresses) {
  const std::string local = fmt::format("127.0.1.{}", 1 + number % addresses);
  rtpproxy::CreateSessionRequest request;
  request.mutable_listen_endpoint()->set_address(local);
  request.mutable_forward_endpoint()->set_address(local);
  request.mutable_destination_endpoint()->set_address("127.0.0.1");
  request.mutable_destination_endpoint()->set_port(4000);
  request.set_protocol(rtpproxy::UDP);
  return request;
}

// So many pairs in flight at a time, each begun by the end of the one before it.
class Pairs {
 public:
  Pairs(Stub& stub, unsigned count, unsigned addresses) : stub_{stub}, count_{count}, addresses_{addresses} {}

  void run(unsigned concurrency) {
    const auto start = Clock::now();
    for (unsigned i = 0; i < concurrency; ++i) begin();
    std::unique_lock lock{mutex_};
    done_.wait(lock, [this] { return finished_ == count_; });
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    fmt::print(R"({{"pairs":{},"seconds":{:.3f},"pairs_per_second":{:.0f},"p50_ms":{:.3f},"p99_ms":{:.3f}}})"
               "\n",
               count_, seconds, count_ / seconds, percentile(times_, 0.5), percentile(times_, 0.99));
  }

 private:
  struct Pair {
    grpc::ClientContext create_context, destroy_context;
    rtpproxy::CreateSessionRequest create;
    rtpproxy::CreateSessionResponse created;
    rtpproxy::DestroySessionRequest destroy;
    rtpproxy::DestroySessionResponse destroyed;
    Clock::time_point start = Clock::now();
  };

  void begin() {
    const unsigned number = begun_.fetch_add(1);
    if (number >= count_) return;
    auto pair = std::make_shared<Pair>();
    pair->create = session(number, addresses_);
    stub_.async()->CreateSession(&pair->create_context, &pair->create, &pair->created, [this, pair](grpc::Status made) {
      check(made);
      pair->destroy.set_session_id(pair->created.session_id());
      stub_.async()->DestroySession(&pair->destroy_context, &pair->destroy, &pair->destroyed,
                                    [this, pair](grpc::Status gone) {
                                      check(gone);
                                      end(*pair);
                                      begin();
                                    });
    });
  }

  void end(const Pair& pair) {
    const std::scoped_lock lock{mutex_};
    times_.push_back(milliseconds(Clock::now() - pair.start));
    if (++finished_ == count_) done_.notify_one();
  }

  Stub& stub_;
  const unsigned count_, addresses_;
  std::atomic<unsigned> begun_{0};
  std::mutex mutex_;
  std::condition_variable done_;
  unsigned finished_ = 0;
  std::vector<double> times_;
};

std::vector<std::string> make(Stub& stub, unsigned count, unsigned addresses) {
  std::vector<std::string> ids;
  while (ids.size() < count) {
    rtpproxy::CreateSessionsRequest request;
    for (int i = 0; i < kBatch && ids.size() + static_cast<std::size_t>(i) < count; ++i) {
      *request.add_sessions() = session(static_cast<unsigned>(ids.size()) + static_cast<unsigned>(i), addresses);
    }
    rtpproxy::CreateSessionsResponse response;
    grpc::ClientContext context;
    check(stub.CreateSessions(&context, request, &response));
    for (const auto& result : response.results()) {
      if (result.status().code() != 0) fail(result.status().message());
      ids.push_back(result.session().session_id());
    }
  }
  return ids;
}

void destroy(Stub& stub, const std::vector<std::string>& ids) {
  for (std::size_t at = 0; at < ids.size(); at += kBatch) {
    rtpproxy::DestroySessionsRequest request;
    for (std::size_t i = at; i < std::min(at + kBatch, ids.size()); ++i) request.add_session_ids(ids[i]);
    rtpproxy::DestroySessionsResponse response;
    grpc::ClientContext context;
    check(stub.DestroySessions(&context, request, &response));
  }
}

void list(Stub& stub, unsigned sessions, unsigned rounds, unsigned addresses) {
  const auto ids = make(stub, sessions, addresses);
  std::vector<double> times;
  unsigned pages = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    const auto start = Clock::now();
    std::size_t seen = 0;
    std::string token;
    pages = 0;
    do {
      rtpproxy::ListSessionsRequest request;
      request.set_page_token(token);
      rtpproxy::ListSessionsResponse response;
      grpc::ClientContext context;
      check(stub.ListSessions(&context, request, &response));
      seen += static_cast<std::size_t>(response.sessions_size());
      token = response.next_page_token();
      ++pages;
    } while (!token.empty());
    times.push_back(milliseconds(Clock::now() - start));
    if (seen < sessions) fail(fmt::format("{} of {} sessions were listed", seen, sessions));
  }
  fmt::print(R"({{"sessions":{},"pages":{},"p50_ms":{:.2f},"max_ms":{:.2f}}})"
             "\n",
             sessions, pages, percentile(times, 0.5), percentile(times, 1));
  destroy(stub, ids);
}

// Open loop: a call is made when it is due, so a slow answer does not hide the ones behind it.
void status(Stub& stub, unsigned seconds, unsigned rate) {
  struct Call {
    grpc::ClientContext context;
    rtpproxy::GetSessionStatusResponse response;
  };
  rtpproxy::GetSessionStatusRequest request;
  request.set_session_id(make(stub, 1, 1).front());
  std::mutex mutex;
  std::condition_variable done;
  std::vector<double> times;
  const unsigned count = seconds * rate;
  const auto start = Clock::now();
  for (unsigned i = 0; i < count; ++i) {
    const auto due = start + std::chrono::microseconds{1'000'000ULL * i / rate};
    std::this_thread::sleep_until(due);
    auto call = std::make_shared<Call>();
    stub.async()->GetSessionStatus(&call->context, &request, &call->response, [&, call, due](grpc::Status status) {
      check(status);
      const std::scoped_lock lock{mutex};
      times.push_back(milliseconds(Clock::now() - due));
      done.notify_one();
    });
  }
  std::unique_lock lock{mutex};
  done.wait(lock, [&] { return times.size() == count; });
  fmt::print(R"({{"calls":{},"p50_ms":{:.3f},"p99_ms":{:.3f},"max_ms":{:.3f}}})"
             "\n",
             count, percentile(times, 0.5), percentile(times, 0.99), percentile(times, 1));
  destroy(stub, {request.session_id()});
}

void watch(Stub& stub, unsigned streams) {
  struct Stream {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<rtpproxy::SessionEvent>> reader;
    std::thread thread;
  };
  std::atomic<std::uint64_t> events{0};
  std::vector<std::unique_ptr<Stream>> all;
  for (unsigned i = 0; i < streams; ++i) {
    auto& one = *all.emplace_back(std::make_unique<Stream>());
    one.reader = stub.StreamSessionEvents(&one.context, {});
    one.reader->WaitForInitialMetadata();
    one.thread = std::thread{[&one, &events] {
      rtpproxy::SessionEvent event;
      while (one.reader->Read(&event)) events.fetch_add(1, std::memory_order_relaxed);
    }};
  }
  fmt::print("watching\n");
  std::fflush(stdout);
  std::string ignored;
  while (std::getline(std::cin, ignored)) {}
  for (auto& one : all) one->context.TryCancel();
  for (auto& one : all) one->thread.join();
  fmt::print(R"({{"streams":{},"events":{}}})"
             "\n",
             streams, events.load());
}

void tcp(Stub& stub, unsigned port) {
  auto request = session(0, 1);
  request.set_protocol(rtpproxy::TCP);
  request.mutable_destination_endpoint()->set_port(port);
  rtpproxy::CreateSessionResponse response;
  grpc::ClientContext context;
  check(stub.CreateSession(&context, request, &response));
  fmt::print(R"({{"address":"{}","port":{}}})"
             "\n",
             response.listen_endpoint().address(), response.listen_endpoint().port());
}

unsigned number(const char* text) { return static_cast<unsigned>(std::strtoul(text, nullptr, 10)); }

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words{argv + 1, argv + argc};
  if (words.size() < 3) fail("api_load pairs|list|status|watch|tcp SERVER …");
  const auto channel = grpc::CreateChannel(words[1], grpc::InsecureChannelCredentials());
  const auto stub = rtpproxy::RtpProxy::NewStub(channel);
  if (words[0] == "pairs" && words.size() == 5) {
    Pairs{*stub, number(argv[3]), number(argv[5])}.run(number(argv[4]));
  } else if (words[0] == "list" && words.size() == 5) {
    list(*stub, number(argv[3]), number(argv[4]), number(argv[5]));
  } else if (words[0] == "status" && words.size() == 4) {
    status(*stub, number(argv[3]), number(argv[4]));
  } else if (words[0] == "watch" && words.size() == 3) {
    watch(*stub, number(argv[3]));
  } else if (words[0] == "tcp" && words.size() == 3) {
    tcp(*stub, number(argv[3]));
  } else {
    fail("which measurement?");
  }
  return 0;
}
