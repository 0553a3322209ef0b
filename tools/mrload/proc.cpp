#include "mrload/proc.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/parse.hpp"

namespace millrace::mrload {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file{path};
  std::string line;
  std::getline(file, line);
  return line;
}

std::uint64_t resident_of(pid_t pid) {
  std::ifstream rollup{fmt::format("/proc/{}/smaps_rollup", pid)};
  for (std::string line; std::getline(rollup, line);) {
    std::istringstream words{line};
    std::string key;
    std::uint64_t kilobytes = 0;
    if (words >> key >> kilobytes && key == "Rss:") return kilobytes * 1024;
  }
  std::istringstream words{first_line(fmt::format("/proc/{}/statm", pid))};
  std::uint64_t size = 0, resident = 0;
  words >> size >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

std::expected<ProcessUsage, std::string> usage_of(pid_t pid) {
  ProcessUsage usage{};
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator{fmt::format("/proc/{}/task", pid), error}) {
    const auto line = first_line(task.path() / "schedstat");
    const auto ran = parse_number<std::int64_t>(line.substr(0, line.find(' ')));
    if (!ran) continue;   // the thread ended between the listing and the look
    usage.cpu += std::chrono::nanoseconds{*ran};
    ++usage.threads;
  }
  if (error || usage.threads == 0) {
    const bool gone = !error || error == std::errc::no_such_file_or_directory;
    return std::unexpected{fmt::format("process {} of the relay cannot be read: {}", pid,
                                       gone ? "there is none, or it has ended" : error.message())};
  }
  usage.resident = resident_of(pid);
  return usage;
}

HostDrops host_drops() {
  HostDrops drops;
  // Two lines of the same shape, "Udp: NAME NAME ..." and "Udp: NUMBER NUMBER ...".
  std::ifstream snmp{"/proc/net/snmp"};
  std::string names;
  for (std::string line; std::getline(snmp, line);) {
    if (!line.starts_with("Udp: ")) continue;
    if (names.empty()) {
      names = line;
      continue;
    }
    std::istringstream name_words{names}, number_words{line};
    for (std::string name, number; name_words >> name && number_words >> number;) {
      if (name == "RcvbufErrors") drops.full_sockets += parse_number<std::uint64_t>(number).value_or(0);
    }
  }
  std::ifstream snmp6{"/proc/net/snmp6"};
  std::string name;
  for (std::uint64_t number = 0; snmp6 >> name >> number;) {
    if (name == "Udp6RcvbufErrors") drops.full_sockets += number;
  }
  std::ifstream softnet{"/proc/net/softnet_stat"};   // a line a CPU, hexadecimal; the second word is "dropped"
  for (std::string line; std::getline(softnet, line);) {
    std::istringstream words{line};
    std::string processed, dropped;
    if (words >> processed >> dropped) drops.backlog += parse_number<std::uint64_t>(dropped, 16).value_or(0);
  }
  return drops;
}

std::string name_of(pid_t pid) { return first_line(fmt::format("/proc/{}/comm", pid)); }

std::string processor_model() {
  std::ifstream file{"/proc/cpuinfo"};
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(std::min(line.find(':') + 2, line.size()));
  }
  return "unknown";
}

std::string kernel_release() {
  utsname name{};
  return uname(&name) == 0 ? name.release : "unknown";
}

}  // namespace millrace::mrload
