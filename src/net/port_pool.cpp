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
  explicit Table(const Address& its_address) : address{its_address} {}
  Address address;
};

PortPool::PortPool(std::vector<Interface> interfaces, Options options, Bind bind)
    : interfaces_{std::move(interfaces)}, options_{options}, bind_{std::move(bind)}, random_state_{options.seed} {
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
  if (find_table(rtp.address) == nullptr) forget_idle_tables(now);
  hold(rtp, Named::rtp_alone, now);
  ++statistics_.taken;
  ++statistics_.in_use;
  return socket;
}

std::expected<UniqueFd, SysError> PortPool::take_rtcp_of(const Endpoint& rtp, TimePoint now) {
  const auto named = named_.find(rtp);
  MR_CHECK(named != named_.end() && named->second == Named::rtp_alone);
  if (rtp.port.value() == kLastPort) return std::unexpected{SysError{0, "no port is above 65535"}};
  auto socket = bind_named(rtp.next_port());
  if (!socket) return socket;
  named->second = Named::rtp_with_rtcp;
  hold(rtp.next_port(), Named::rtcp, now);
  return socket;
}

void PortPool::give_back_rtcp_of(const Endpoint& rtp, TimePoint now) {
  const auto named = named_.find(rtp);
  if (named == named_.end()) {
    // One half of a pair that was handed out by chance: from now on its RTP port is one by itself.
    const Table* table = find_table(rtp.address);
    if (table != nullptr && table->is_in_use(pair_of(rtp))) named_.emplace(rtp, Named::rtp_alone);
  } else if (named->second == Named::rtp_with_rtcp) {
    named->second = Named::rtp_alone;
    release(rtp.next_port(), now);
  }
}

void PortPool::give_back(const Endpoint& rtp, TimePoint now) {
  const auto named = named_.find(rtp);
  if (named != named_.end()) {
    if (named->second == Named::rtcp) return;
    if (named->second == Named::rtp_with_rtcp) release(rtp.next_port(), now);
    release(rtp, now);
    --statistics_.in_use;
    return;
  }
  Table* table = find_table(rtp.address);
  if (table == nullptr || rtp.port.value() % 2 != 0 || !is_taken(rtp)) return;
  table->rest(pair_of(rtp), now, false);
  --statistics_.in_use;
}

PortPool::Table* PortPool::find_table(const Address& address) const {
  const auto found = std::ranges::find_if(tables_, [&address](const auto& table) { return table->address == address; });
  return found == tables_.end() ? nullptr : found->get();
}

PortPool::Table& PortPool::table_of(const Address& address) {
  if (Table* table = find_table(address)) return *table;
  return *tables_.emplace_back(std::make_unique<Table>(address));
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
  if (named_.contains(port)) return true;
  const Table* table = find_table(port.address);
  return table != nullptr && table->is_in_use(pair_of(port)) && !named_.contains(neighbour_of(port));
}

std::expected<UniqueFd, SysError> PortPool::bind_named(const Endpoint& port) {
  if (is_taken(port)) return std::unexpected{SysError{EADDRINUSE, "bind " + port.to_string()}};
  auto socket = bind_(port);
  if (!socket && !is_of_somebody_else(socket.error())) {
    last_failure_ = socket.error();
    ++statistics_.failed;
  }
  return socket;
}

void PortPool::hold(const Endpoint& port, Named as, TimePoint now) {
  Table& table = table_of(port.address);
  table.wake(now - options_.rest);
  if (!table.is_in_use(pair_of(port))) {
    table.wake_pair(pair_of(port));
    table.use(pair_of(port));
  }
  named_.emplace(port, as);
}

void PortPool::release(const Endpoint& port, TimePoint now) {
  named_.erase(port);
  if (!named_.contains(neighbour_of(port))) table_of(port.address).rest(pair_of(port), now, false);
}

std::expected<PortPair, PortError> PortPool::take_from(Table& table, const PortRange& range, TimePoint now) {
  const PairRange pairs = pairs_of(range);
  if (pairs.first > pairs.last) return std::unexpected{PortError::exhausted};
  PortPair taken;
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
    const auto tried = try_bind(table, *pair, now, taken);
    if (tried == Try::bound) return taken;
    if (tried == Try::failed) return std::unexpected{PortError::bind_failed};
  }
}

PortPool::Try PortPool::try_bind(Table& table, std::size_t pair, TimePoint now, PortPair& out) {
  table.cursor = pair + 1;
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
  SysError error = rtp ? std::move(rtcp.error()) : std::move(rtp.error());
  if (!is_of_somebody_else(error)) {
    last_failure_ = std::move(error);
    ++statistics_.failed;
    return Try::failed;
  }
  ++statistics_.passed_over;
  table.rest(pair, now, true);
  return Try::passed_over;
}

// splitmix64: eight bytes of state; the order need only differ from run to run.
std::uint64_t PortPool::random() {
  std::uint64_t value = random_state_ += 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

}  // namespace millrace::net
