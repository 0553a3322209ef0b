#include "net/port_pool.hpp"

#include <algorithm>
#include <cerrno>

#include "base/check.hpp"
#include "net/port_table.hpp"

namespace millrace::net {
namespace {

// Guesses of the random order before it takes the next free pair from the last guess on, which favours the pairs
// behind crowded stretches. With four pairs of five in use, 16 guesses miss 3 times in 100.
constexpr int kGuesses = 16;

constexpr std::uint16_t kLastPort = 65535;

PairRange pairs_of(const PortRange& range) {
  return {static_cast<std::size_t>(range.first + 1) / 2, static_cast<std::size_t>(range.last) / 2};
}

Port port_of(std::size_t pair) { return Port{static_cast<std::uint16_t>(pair * 2)}; }

std::size_t pair_of(const Endpoint& port) { return port.port.value() / 2u; }

Endpoint neighbour_of(const Endpoint& port) {
  return {port.address, Port{static_cast<std::uint16_t>(port.port.value() ^ 1u)}};
}

bool is_of_somebody_else(const SysError& error) {
  return error.code == EADDRINUSE || error.code == EACCES || error.code == EPERM;
}

}  // namespace

class PortPool::Table : public PortTable {
 public:
  Table(const Address& its_address, Kind its_kind) : address{its_address}, kind{its_kind} {}
  Address address;
  Kind kind;
};

PortPool::PortPool(std::vector<Interface> interfaces, Options options, Bind bind, StreamBinds streams)
    : interfaces_{std::move(interfaces)},
      options_{options},
      bind_{std::move(bind)},
      stream_binds_{std::move(streams)},
      random_state_{options.seed} {
  for (const Interface& interface : interfaces_) MR_CHECK(!interface.addresses.empty());
}

PortPool::~PortPool() = default;

const std::vector<Interface>& PortPool::interfaces() const { return interfaces_; }

const Interface* PortPool::find(std::string_view name) const {
  const auto found = std::ranges::find(interfaces_, name, &Interface::name);
  return found == interfaces_.end() ? nullptr : &*found;
}

const Interface* PortPool::find(const Address& address) const {
  const auto holding = [this](const Address& wanted) -> const Interface* {
    const auto found = std::ranges::find_if(interfaces_, [&wanted](const Interface& interface) {
      return std::ranges::count(interface.addresses, wanted) != 0;
    });
    return found == interfaces_.end() ? nullptr : &*found;
  };
  const Interface* exact = holding(address);
  return exact != nullptr ? exact : holding(Address::any(address.family()));
}

std::expected<PortPair, PortError> PortPool::take(const Interface& interface, TimePoint now) {
  std::vector<Table*> tables;
  for (const Address& address : interface.addresses) tables.push_back(&table_of(address));
  std::ranges::stable_sort(tables, {}, &Table::in_use);
  for (Table* table : tables) {
    auto pair = take_from(*table, interface.range, now);
    if (pair || pair.error() != PortError::exhausted) return pair;
  }
  return std::unexpected{PortError::exhausted};
}

std::expected<PortPair, PortError> PortPool::take(const Address& address, const PortRange& range, TimePoint now) {
  if (find_table(address) == nullptr) forget_idle_tables(now);
  auto pair = take_from(table_of(address), range, now);
  // A peer's command may name any address: what could not be bound leaves no table behind.
  if (!pair) std::erase_if(tables_, [](const auto& table) { return table->idle(); });
  return pair;
}

std::expected<UniqueFd, SysError> PortPool::take_named(const Endpoint& rtp, TimePoint now) {
  auto socket = bind_named(rtp);
  if (!socket) return socket;
  hold(rtp, Named::rtp_alone, now);
  ++statistics_.taken;
  ++statistics_.in_use;
  return socket;
}

std::expected<UniqueFd, SysError> PortPool::take_rtcp_of(const Endpoint& rtp, TimePoint now) {
  const auto found = named(Kind::datagrams).find(rtp);
  MR_CHECK(found != named(Kind::datagrams).end() && found->second == Named::rtp_alone);
  if (rtp.port.value() == kLastPort) return std::unexpected{SysError{0, "there is no port above 65535"}};
  auto socket = bind_named(rtp.next_port());
  if (!socket) return socket;
  found->second = Named::rtp_with_rtcp;
  hold(rtp.next_port(), Named::rtcp, now);
  return socket;
}

void PortPool::give_back_rtcp_of(const Endpoint& rtp, TimePoint now) {
  const auto found = named(Kind::datagrams).find(rtp);
  if (found == named(Kind::datagrams).end()) {
    // One half of a pair that was handed out by chance: from now on its RTP port is one by itself.
    if (is_taken(rtp)) named(Kind::datagrams).emplace(rtp, Named::rtp_alone);
  } else if (found->second == Named::rtp_with_rtcp) {
    found->second = Named::rtp_alone;
    release(rtp.next_port(), Kind::datagrams, now);
  }
}

std::expected<StreamPort, SysError> PortPool::take_stream(const Endpoint& local, StreamRole role,
                                                          const PortRange& range, TimePoint now) {
  StreamPort taken{.local = local, .socket = {}};
  if (local.port.value() != 0) {
    auto socket = bind_stream(local, role);
    if (!socket) return std::unexpected{std::move(socket.error())};
    taken.socket = *std::move(socket);
    hold(local, Named::stream, now);
  } else {
    if (find_table(local.address, Kind::streams) == nullptr) forget_idle_tables(now);
    const auto try_pair = [&](Table& table, std::size_t pair) { return try_stream(table, pair, role, now, taken); };
    const auto found = search(table_of(local.address, Kind::streams), range, now, try_pair);
    if (!found) std::erase_if(tables_, [](const auto& table) { return table->idle(); });
    if (!found && found.error() == PortError::bind_failed) return std::unexpected{*last_failure_};
    if (!found) {
      return std::unexpected{SysError{0, "no free port in " + std::to_string(range.first) + "-" +
                                             std::to_string(static_cast<unsigned>(range.last) + 1)}};
    }
  }
  ++statistics_.taken;
  ++statistics_.in_use;
  return taken;
}

void PortPool::retire_stream(const Endpoint& local) {
  const auto found = named(Kind::streams).find(local);
  if (found != named(Kind::streams).end()) found->second = Named::retired_stream;
}

void PortPool::give_back(const Endpoint& rtp, TimePoint now) {
  if (!give_back_named(rtp, now)) {
    if (rtp.port.value() % 2 != 0 || named(Kind::datagrams).contains(rtp) || !is_taken(rtp)) return;
    find_table(rtp.address)->rest(pair_of(rtp), now, false);
  }
  --statistics_.in_use;
}

bool PortPool::give_back_named(const Endpoint& port, TimePoint now) {
  const auto stream = named(Kind::streams).find(port);
  if (stream != named(Kind::streams).end() && stream->second == Named::retired_stream) {
    release(port, Kind::streams, now);
    return true;
  }
  const auto datagrams = named(Kind::datagrams).find(port);
  if (datagrams == named(Kind::datagrams).end() || datagrams->second == Named::rtcp) return false;
  if (datagrams->second == Named::rtp_with_rtcp) release(port.next_port(), Kind::datagrams, now);
  release(port, Kind::datagrams, now);
  return true;
}

PortPool::Table* PortPool::find_table(const Address& address, Kind kind) const {
  const auto found = std::ranges::find_if(
      tables_, [&](const auto& table) { return table->address == address && table->kind == kind; });
  return found == tables_.end() ? nullptr : found->get();
}

PortPool::Table& PortPool::table_of(const Address& address, Kind kind) {
  if (Table* table = find_table(address, kind)) return *table;
  return *tables_.emplace_back(std::make_unique<Table>(address, kind));
}

// All of 127/8 may be named, one address after the other: before another table is made those go that nobody needs.
void PortPool::forget_idle_tables(TimePoint now) {
  std::erase_if(tables_, [&](const auto& table) {
    table->wake(now - options_.rest);
    return table->idle();
  });
}

// In our own books; the machine knows of everybody.
bool PortPool::is_taken(const Endpoint& port) const {
  const NamedPorts& ports = named(Kind::datagrams);
  if (ports.contains(port)) return true;
  const Table* table = find_table(port.address);
  return table != nullptr && table->is_in_use(pair_of(port)) && !ports.contains(neighbour_of(port));
}

// Of TCP they are the only ones that count, so the wildcard is everybody's neighbour here.
bool PortPool::is_taken_stream(const Endpoint& port) const {
  return std::ranges::any_of(tables_, [&](const auto& table) {
    const bool meets = table->address == port.address || table->address.is_any() || port.address.is_any();
    return table->kind == Kind::streams && table->address.family() == port.address.family() && meets &&
           named(Kind::streams).contains({table->address, port.port});
  });
}

std::expected<UniqueFd, SysError> PortPool::bind_named(const Endpoint& port) {
  if (is_taken(port)) return std::unexpected{SysError{EADDRINUSE, "bind " + port.to_string()}};
  return noted(bind_(port));
}

std::expected<UniqueFd, SysError> PortPool::bind_stream(const Endpoint& port, StreamRole role) {
  if (is_taken_stream(port)) return std::unexpected{SysError{EADDRINUSE, "bind " + port.to_string()}};
  return noted(role == StreamRole::listener ? stream_binds_.listen(port) : stream_binds_.reserve(port));
}

std::expected<UniqueFd, SysError> PortPool::noted(std::expected<UniqueFd, SysError> socket) {
  if (!socket && !is_of_somebody_else(socket.error())) {
    last_failure_ = socket.error();
    ++statistics_.failed;
  }
  return socket;
}

void PortPool::hold(const Endpoint& port, Named as, TimePoint now) {
  const Kind kind = as == Named::stream ? Kind::streams : Kind::datagrams;
  if (find_table(port.address, kind) == nullptr) forget_idle_tables(now);
  Table& table = table_of(port.address, kind);
  table.wake(now - options_.rest);
  if (!table.is_in_use(pair_of(port))) {
    table.wake_pair(pair_of(port));
    table.use(pair_of(port));
  }
  named(kind).emplace(port, as);
}

void PortPool::release(const Endpoint& port, Kind kind, TimePoint now) {
  named(kind).erase(port);
  if (!named(kind).contains(neighbour_of(port))) table_of(port.address, kind).rest(pair_of(port), now, false);
}

template <class TryPair>
std::expected<void, PortError> PortPool::search(Table& table, const PortRange& range, TimePoint now,
                                                TryPair&& try_pair) {
  const PairRange pairs = pairs_of(range);
  if (pairs.first > pairs.last) return std::unexpected{PortError::exhausted};
  table.wake(now - options_.rest);
  for (;;) {
    std::size_t start = table.cursor;
    for (int i = 0; options_.order == PortOrder::random && i < kGuesses; ++i) {
      start = pairs.first + random() % pairs.size();
      if (table.is_free(start)) break;
    }
    auto pair = table.next_free(pairs, start);
    if (!pair) {
      pair = table.take_resting(pairs);
      if (!pair) return std::unexpected{PortError::exhausted};
      ++statistics_.taken_while_resting;
    }
    table.cursor = *pair + 1;
    const Try tried = try_pair(table, *pair);
    if (tried == Try::bound) return {};
    if (tried == Try::failed) return std::unexpected{PortError::bind_failed};
  }
}

std::expected<PortPair, PortError> PortPool::take_from(Table& table, const PortRange& range, TimePoint now) {
  PortPair taken;
  const auto try_pair = [&](Table& where, std::size_t pair) { return try_bind(where, pair, now, taken); };
  if (const auto found = search(table, range, now, try_pair); !found) return std::unexpected{found.error()};
  return taken;
}

PortPool::Try PortPool::try_bind(Table& table, std::size_t pair, TimePoint now, PortPair& out) {
  out.rtp = {table.address, port_of(pair)};
  auto rtp = bind_(out.rtp);
  auto rtcp = rtp ? bind_(out.rtp.next_port()) : std::unexpected{SysError{}};
  if (rtp && rtcp) {
    out.rtp_socket = *std::move(rtp);
    out.rtcp_socket = *std::move(rtcp);
    table.use(pair);
    ++statistics_.taken;
    ++statistics_.in_use;
    return Try::bound;
  }
  const auto socket = noted(std::move(rtp ? rtcp : rtp));
  if (!is_of_somebody_else(socket.error())) return Try::failed;
  pass_over(table, pair, now);
  return Try::passed_over;
}

PortPool::Try PortPool::try_stream(Table& table, std::size_t pair, StreamRole role, TimePoint now, StreamPort& out) {
  out.local = {table.address, port_of(pair)};
  auto socket = bind_stream(out.local, role);
  if (socket) {
    out.socket = *std::move(socket);
    hold(out.local, Named::stream, now);
    return Try::bound;
  }
  if (!is_of_somebody_else(socket.error())) return Try::failed;
  pass_over(table, pair, now);
  return Try::passed_over;
}

void PortPool::pass_over(Table& table, std::size_t pair, TimePoint now) {
  ++statistics_.passed_over;
  table.rest(pair, now, true);
}

// splitmix64: eight bytes of state; the order need only differ from run to run.
std::uint64_t PortPool::random() {
  std::uint64_t value = random_state_ += 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

}  // namespace millrace::net
