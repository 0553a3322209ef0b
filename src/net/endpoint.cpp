#include "net/endpoint.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "base/parse.hpp"

namespace millrace::net {
namespace {

constexpr std::size_t kMaxAddressText = INET6_ADDRSTRLEN;
constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

Address Address::ipv6(const std::array<std::uint8_t, 16>& bytes) {
  Address address;
  if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin())) {
    address.family_ = Family::ipv4;
    std::copy_n(bytes.begin() + 12, 4, address.bytes_.begin());
    return address;
  }
  address.family_ = Family::ipv6;
  address.bytes_ = bytes;
  return address;
}

std::optional<Address> Address::parse(std::string_view text) {
  std::array<char, kMaxAddressText> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), terminated.begin());
  std::array<std::uint8_t, 16> bytes{};
  if (::inet_pton(AF_INET, terminated.data(), bytes.data()) == 1) {
    Address address;
    address.family_ = Family::ipv4;
    address.bytes_ = bytes;
    return address;
  }
  if (::inet_pton(AF_INET6, terminated.data(), bytes.data()) == 1) return ipv6(bytes);
  return std::nullopt;
}

bool Address::is_any() const {
  return family_ != Family::none && std::ranges::all_of(bytes_, [](auto byte) { return byte == 0; });
}

bool Address::is_loopback() const {
  if (family_ == Family::ipv4) return bytes_[0] == 127;
  return family_ == Family::ipv6 && bytes_[15] == 1 &&
         std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto byte) { return byte == 0; });
}

bool Address::is_private() const {
  if (family_ == Family::ipv6) return (bytes_[0] & 0xfe) == 0xfc;  // RFC 4193 fc00::/7
  if (family_ != Family::ipv4) return false;
  return bytes_[0] == 10 || (bytes_[0] == 172 && (bytes_[1] & 0xf0) == 16) || (bytes_[0] == 192 && bytes_[1] == 168) ||
         (bytes_[0] == 100 && (bytes_[1] & 0xc0) == 64);  // RFC 6598 100.64/10
}

bool Address::is_link_local() const {
  if (family_ == Family::ipv6) return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
  return family_ == Family::ipv4 && bytes_[0] == 169 && bytes_[1] == 254;
}

std::string Address::to_string() const {
  if (family_ == Family::none) return "-";
  std::array<char, kMaxAddressText> text{};
  ::inet_ntop(family_ == Family::ipv6 ? AF_INET6 : AF_INET, bytes_.data(), text.data(), text.size());
  return text.data();
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = Address::parse(host);
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
  if (!address || !port) return std::nullopt;
  if (bracketed != (host.find(':') != std::string_view::npos)) return std::nullopt;
  return Endpoint{*address, Port{*port}};
}

std::optional<Endpoint> Endpoint::from_sockaddr(const sockaddr* address, socklen_t length) {
  if (address->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    return Endpoint{Address::ipv4(ntohl(in.sin_addr.s_addr)), Port{ntohs(in.sin_port)}};
  }
  if (address->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof in);
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    return Endpoint{Address::ipv6(bytes), Port{ntohs(in.sin6_port)}};
  }
  return std::nullopt;
}

std::string Endpoint::to_string() const {
  const auto text = address.to_string();
  const auto number = std::to_string(port.value());
  return address.is_ipv6() ? "[" + text + "]:" + number : text + ":" + number;
}

socklen_t Endpoint::to_sockaddr(sockaddr_storage& out) const {
  if (address.is_ipv6()) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port.value());
    std::memcpy(&in.sin6_addr, address.bytes().data(), 16);
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port.value());
  std::memcpy(&in.sin_addr, address.bytes().data(), 4);
  std::memcpy(&out, &in, sizeof in);
  return sizeof in;
}

std::size_t EndpointHash::operator()(const Endpoint& endpoint) const {
  // FNV-1a over the 18 bytes that tell endpoints apart.
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto mix = [&hash](std::uint8_t byte) { hash = (hash ^ byte) * 0x100000001b3; };
  for (const auto byte : endpoint.address.bytes()) mix(byte);
  mix(static_cast<std::uint8_t>(endpoint.port.value() >> 8));
  mix(static_cast<std::uint8_t>(endpoint.port.value()));
  return hash;
}

}  // namespace millrace::net
