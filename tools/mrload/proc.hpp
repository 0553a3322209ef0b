#pragma once
// What /proc says about the relay: processor time of all its threads, memory, name. Linux only, as the relays are.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>

namespace millrace::mrload {

struct ProcessUsage {
  std::chrono::nanoseconds cpu;  // user and system, all threads that live; /proc/PID/task/*/schedstat, exact to the ns
  std::uint64_t resident;  // bytes; /proc/PID/smaps_rollup, which counts pages, else statm, which may lag
  std::uint32_t threads;
};

// The error is a sentence: no such process, or not ours to look at.
std::expected<ProcessUsage, std::string> usage_of(pid_t pid);
std::string name_of(pid_t pid);

// Datagrams that the host threw away since it started, whoever they were for. The difference over a run says where
// loss happened when nothing else uses the network much.
struct HostDrops {
  std::uint64_t full_sockets = 0;  // a receive buffer was full: its owner read too late (/proc/net/snmp, snmp6)
  std::uint64_t backlog = 0;  // a CPU's queue before any socket was full (/proc/net/softnet_stat)
};
HostDrops host_drops();

// What a table of figures must say about the machine.
std::string processor_model();
std::string kernel_release();

}  // namespace millrace::mrload
