#include <array>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

#include "base/parse.hpp"
#include "control/admin/host_facts.hpp"
#include "net/udp.hpp"

namespace millrace::control::admin {
namespace {

constexpr std::size_t kMaxSocketsRead = 100'000;  // lines of /proc/net/udp

std::string first_line(const std::string& path) {
  std::ifstream file{path};
  std::string line;
  std::getline(file, line);
  return line;
}

// "Max open files            1024                 524288               files": the soft limit.
std::uint64_t open_files_limit(int pid) {
  std::ifstream file{fmt::format("/proc/{}/limits", pid)};
  constexpr std::string_view kName = "Max open files";
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(kName)) continue;
    std::istringstream rest{line.substr(kName.size())};
    std::uint64_t soft = 0;
    rest >> soft;
    return soft;
  }
  return 0;
}

// Two lines that begin with "Udp:": the names, then the numbers.
std::uint64_t udp_receive_buffer_errors() {
  std::ifstream file{"/proc/net/snmp"};
  std::string names, numbers;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("Udp:")) (names.empty() ? names : numbers) = line;
  }
  std::istringstream name_stream{names}, number_stream{numbers};
  for (std::string name, number; name_stream >> name && number_stream >> number;) {
    if (name == "RcvbufErrors") return parse_number<std::uint64_t>(number).value_or(0);
  }
  return 0;
}

// "0100007F:1E2A", "…00000000:1E2A": words of the address in the machine's byte order, then the port.
std::optional<net::Endpoint> read_socket(std::string_view text) {
  const auto colon = text.find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1), 16);
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t word = 0; word < colon / 8; ++word) {
    const auto value = parse_number<std::uint32_t>(text.substr(word * 8, 8), 16);
    if (!value) return std::nullopt;
    std::memcpy(bytes.data() + word * 4, &*value, sizeof *value);
  }
  if (!port) return std::nullopt;
  if (colon == 32) return net::Endpoint{net::Address::ipv6(bytes), Port{*port}};
  const auto host_order = static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
                          static_cast<std::uint32_t>(bytes[2]) << 8 | bytes[3];
  return net::Endpoint{net::Address::ipv4(host_order), Port{*port}};
}

void read_sockets(const char* path, std::vector<net::Endpoint>& sockets) {
  std::ifstream file{path};
  std::string line;
  std::getline(file, line);  // the heading
  while (sockets.size() < kMaxSocketsRead && std::getline(file, line)) {
    std::istringstream words{line};
    std::string slot, local;
    words >> slot >> local;
    if (const auto socket = read_socket(local)) sockets.push_back(*socket);
  }
}

}  // namespace

HostFacts read_host_facts(int pid) {
  HostFacts facts;
  std::istringstream range{first_line("/proc/sys/net/ipv4/ip_local_port_range")};
  range >> facts.ephemeral_ports.first >> facts.ephemeral_ports.second;
  facts.reserved_ports = first_line("/proc/sys/net/ipv4/ip_local_reserved_ports");
  facts.open_files_limit = open_files_limit(pid);
  facts.receive_buffer_max = parse_number<std::uint64_t>(first_line("/proc/sys/net/core/rmem_max")).value_or(0);
  facts.udp_receive_buffer_errors = udp_receive_buffer_errors();
  read_sockets("/proc/net/udp", facts.udp_sockets);
  read_sockets("/proc/net/udp6", facts.udp_sockets);
  facts.addresses = net::host_addresses();
  facts.default_route = net::default_route_address();
  return facts;
}

}  // namespace millrace::control::admin
