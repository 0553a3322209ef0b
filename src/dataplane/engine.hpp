#pragma once
// What every engine promises. An engine carries whole connections: all flows of one FlowPlan. All of this is called
// on the control thread; an engine's own threads (workers) are its own business and talk to it through rings.
// Counters are not asked for here: they are in the arena that plans point into.

#include <string_view>

#include "flow/plan.hpp"

namespace millrace::dataplane {

// Takes what engines report; control thread, called from within Engine::turn().
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void on(const flow::RemoteChanged& event) = 0;
  virtual void on(const flow::StreamChanged& event) = 0;
  virtual void on(const flow::PortClosed& event) = 0;
  virtual void on(const flow::Removed& event) = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual bool supports(const flow::FlowPlan& plan) const = 0;
  // Room for a new connection now; updates and removes are never refused.
  [[nodiscard]] virtual bool accepts_new() const = 0;
  virtual void install(flow::Installation installation) = 0;
  virtual void remove(ConnectionId connection) = 0;
  // Hands out what was installed and removed, delivers what workers said. After each batch of commands, and when
  // event_fd() is readable.
  virtual void hand_over(EventSink& sink) = 0;
  // Wakes whom something was handed to. May wait until answers are sent: a thread that is woken on the same CPU runs
  // first, and what arrives meanwhile waits for the hand-over by itself.
  virtual void wake() = 0;
  void turn(EventSink& sink) {
    hand_over(sink);
    wake();
  }
  [[nodiscard]] virtual int event_fd() const = 0;
};

}  // namespace millrace::dataplane
