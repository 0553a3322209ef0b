#pragma once
// What happens to calls, as log lines. Connections that come and go are `info`, what is learned of them is `debug`,
// a time-out is a `warning`.

#include "observe/log.hpp"
#include "session/change.hpp"

namespace millrace::app {

class CallLog final : public session::ChangeListener {
 public:
  explicit CallLog(observe::Log& log) : log_{log} {}
  void on_change(const session::Change& change) override;
  [[nodiscard]] bool wants(const session::ChangeSubject& subject) const override;

 private:
  observe::Log& log_;
};

}  // namespace millrace::app
