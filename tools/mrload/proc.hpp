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

// What a table of figures must say about the machine.
std::string processor_model();
std::string kernel_release();

}  // namespace millrace::mrload
