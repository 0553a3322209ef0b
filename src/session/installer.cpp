#include "session/installer.hpp"

#include <memory>

#include "session/plan_builder.hpp"

namespace millrace::session {

void Installer::touch(Connection& connection) {
  if (connection.touched) return;
  connection.touched = true;
  touched_.push_back(&connection);
}

void Installer::give_counters(MediaStream& stream) {
  for (const Channel channel : {Channel::rtp, Channel::rtcp}) {
    MediaPort& port = stream.port(channel);
    if (stream.has_port(channel) && port.counters == nullptr) port.counters = counters_.take();
  }
}

void Installer::remove(Connection& connection) {
  if (connection.touched) std::erase(touched_, &connection);
  Blocks blocks{};
  for (const Side side : {Side::offerer, Side::answerer}) {
    for (const Channel channel : {Channel::rtp, Channel::rtcp}) {
      blocks[std::to_underlying(slot_of(side, channel))] = connection.stream(side).port(channel).counters;
    }
  }
  if (!connection.installed) {
    give_back(blocks);
    return;
  }
  going_.emplace(connection.id, blocks);
  removed_.push_back(connection.id);
}

void Installer::flush() {
  for (Connection* connection : touched_) install(*connection);
  touched_.clear();
  for (const ConnectionId id : removed_) forwarder_.remove(id);
  removed_.clear();
}

void Installer::install(Connection& connection) {
  flow::Installation installation;
  installation.plan = std::make_unique<const flow::FlowPlan>(plan_for(connection, settings_));
  for (const Side side : {Side::offerer, Side::answerer}) {
    MediaStream& stream = connection.stream(side);
    for (const Channel channel : {Channel::rtp, Channel::rtcp}) {
      installation.sockets[std::to_underlying(slot_of(side, channel))] = std::move(stream.port(channel).socket);
    }
    stream.handed_over = stream.has_ports();
  }
  connection.touched = false;
  connection.installed = true;
  forwarder_.install(std::move(installation));
}

void Installer::on_removed(ConnectionId id) {
  const auto found = going_.find(id);
  if (found == going_.end()) return;
  give_back(found->second);
  going_.erase(found);
}

void Installer::give_back(const Blocks& blocks) {
  for (flow::CounterBlock* block : blocks) {
    if (block != nullptr) counters_.give_back(block);
  }
}

}  // namespace millrace::session
