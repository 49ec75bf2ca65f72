// FakeRun, the run of one machine: what the machine does to it is kept as text.
#ifndef CHIMERA_TESTS_UNIT_CORE_MACHINES_FAKE_RUN_H_
#define CHIMERA_TESTS_UNIT_CORE_MACHINES_FAKE_RUN_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "core/machines/describe.h"
#include "core/machines/port.h"

namespace chimera::core::testing {

class FakeRun final : public RunPort {
 public:
  FakeRun() : RunPort(outgoing) {}
  const RunContext& context() const override { return context_; }
  bool live() const override { return is_live; }
  bool use(CoreFlag) override { return true; }
  Dialect& dialect() override { return dialect_; }
  void send(const MachineBase& machine, EventType confirmed_by, CommandPtr command) override {
    note(absl::StrCat("send ", event_name(confirmed_by)));
    commands.push_back(std::move(command));
  }
  void take_back(const MachineBase&) override { note("take back"); }
  std::int64_t next_command_event_id() const override { return 5; }
  void issue(CommandVariant command) override {
    note("issue");
    issued.push_back(std::move(command));
  }
  void tell(Job job) override {
    note("tell");
    jobs.push_back(std::move(job));
  }
  void swallow(const MachineBase& machine) override {
    note(absl::StrCat("swallow ", machine.began));
  }
  void execute(const MachineBase&, std::shared_ptr<const ScheduleLocalActivity>) override {
    note("execute");
  }
  void executed() override { note("executed"); }
  void stop(const MachineBase&) override { note("stop"); }
  std::optional<LocalMarker> take_cancelled_ahead(const MachineBase&) override {
    return std::exchange(cancelled_ahead, std::nullopt);
  }
  base::WallTime time() const override { return now; }
  void reach(base::WallTime time) override { now = std::max(now, time); }
  std::uint32_t activations() const override { return 3; }
  void keep(std::shared_ptr<const void> owner) override { kept_.push_back(std::move(owner)); }
  absl::Status disagree(const HistoryEvent& event, const std::string& what) const override {
    return absl::FailedPreconditionError(absl::StrCat(describe_event(event), ": ", what));
  }

  // What was done since it was asked last: "send TimerStarted, tell".
  std::string log() { return std::exchange(log_, ""); }
  template <class T>
  T job() {
    T job = std::get<T>(std::move(jobs.back()));
    jobs.pop_back();
    return job;
  }

  bool is_live = true;
  Outgoing outgoing;  // Outlives the commands.
  std::optional<LocalMarker> cancelled_ahead;
  base::WallTime now{std::chrono::seconds(1000)};
  std::vector<CommandPtr> commands;
  std::vector<CommandVariant> issued;
  std::vector<Job> jobs;

 private:
  std::vector<std::shared_ptr<const void>> kept_;

  void note(const std::string& what) { absl::StrAppend(&log_, log_.empty() ? "" : ", ", what); }

  Dialect dialect_;
  const RunContext context_{"id", "run", "Test", "queue", "default"};
  std::string log_;
};

// A machine with a number, and the command that begins it issued.
template <class M>
M begun(typename M::Begins command, FakeRun& run) {
  M machine;
  machine.seq = 7;
  Command none{CancelTimer{}};
  machine.begin(command, none, run);
  return machine;
}

template <class M>
void cancel(M& machine, FakeRun& run) {
  typename M::Cancels command{};
  Command none{CancelTimer{}};
  machine.cancel(command, none, run);
}

inline HistoryEvent event(EventType type, std::int64_t id = 11) {
  HistoryEvent event;
  event.set_event_id(id);
  event.set_event_type(type);
  return event;
}

}  // namespace chimera::core::testing

#endif  // CHIMERA_TESTS_UNIT_CORE_MACHINES_FAKE_RUN_H_
