// RunMachines, a run's machines: what they may do to it (port.h), and which one a command or an
// event is for. Lane thread.
#ifndef CHIMERA_CORE_WORKFLOW_RUN_MACHINES_H_
#define CHIMERA_CORE_WORKFLOW_RUN_MACHINES_H_

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "core/machines/machines.h"
#include "core/workflow/run_data.h"

namespace chimera::core {

class RunLocal;

class RunMachines final : public RunPort {
 public:
  // Both borrowed; `local` may still be under construction.
  RunMachines(RunData& run, RunLocal& local) : RunPort(run.outgoing), run_(run), local_(local) {}

  // --- What machines may do ---
  const RunContext& context() const override { return run_.options.context; }
  bool live() const override { return run_.live(); }
  bool use(CoreFlag flag) override { return run_.flags.use(flag, run_.replaying); }
  Dialect& dialect() override { return run_.dialect; }
  void send(const MachineBase& machine, EventType confirmed_by, CommandPtr command) override;
  void take_back(const MachineBase& machine) override {
    run_.outgoing.drop(machine.kind, machine.seq);
  }
  std::int64_t next_command_event_id() const override {
    return run_.started_event_id + 2 + static_cast<std::int64_t>(run_.outgoing.unsent());
  }
  void issue(CommandVariant command) override;
  void tell(Job job) override { run_.jobs.push_back(std::move(job)); }
  void swallow(const MachineBase& machine) override;
  void execute(const MachineBase& machine,
               std::shared_ptr<const ScheduleLocalActivity> activity) override;
  void executed() override;
  void stop(const MachineBase& machine) override;
  std::optional<LocalMarker> take_cancelled_ahead(const MachineBase& machine) override;
  base::WallTime time() const override { return run_.time; }
  void reach(base::WallTime time) override { run_.time = std::max(run_.time, time); }
  std::uint32_t activations() const override { return run_.activations; }
  void keep(std::shared_ptr<const void> owner) override {
    run_.keep_alive.push_back(std::move(owner));
  }
  absl::Status disagree(const HistoryEvent& event, const std::string& what) const override {
    return nondeterminism(&event, meeting_, what);
  }

  // --- What happens to machines ---
  // A command that begins one.
  template <class One>
  absl::Status begin(One& command, Command& whole);
  // One that cancels it. None: it has ended, and the language may not know yet.
  template <class One>
  void cancel(One& command, Command& whole);
  // What they have commanded on their own account, the latest first.
  std::optional<CommandVariant> next_issued();
  // A command event meets the head of the outgoing commands.
  absl::Status match(const HistoryEvent& event);
  // An event that goes on with something a command began.
  absl::Status route(const HistoryEvent& event);
  absl::Status nondeterminism(const HistoryEvent* event, const OutgoingCommand* command,
                              const std::string& what) const;

 private:
  absl::Status match_record(const HistoryEvent& event);
  absl::Status confirm(const OutgoingCommand& command, const HistoryEvent& event);
  absl::Status confirm_update(const OutgoingCommand& command, const HistoryEvent& event);

  RunData& run_;
  RunLocal& local_;
  std::vector<CommandVariant> issued_;        // Not taken yet.
  const OutgoingCommand* meeting_ = nullptr;  // Meets its event just now.
  std::uint32_t next_own_ = kOwnSeq;
};

template <class One>
absl::Status RunMachines::begin(One& command, Command& whole) {
  constexpr int kIndex = kBegins<One>;
  const auto [at, fresh] = run_.table.add<kIndex>(command.seq);
  auto& machine = std::get<kIndex>(at->second);
  if (!fresh) {
    return absl::InvalidArgumentError(
        absl::StrCat("the language used the number ", command.seq, " for two ", machine.kPlural));
  }
  machine.begin(command, whole, *this);
  return absl::OkStatus();
}

template <class One>
void RunMachines::cancel(One& command, Command& whole) {
  const auto found = run_.table.find(kind_of(kCancels<One>), command.seq);
  if (found == run_.table.end()) return;
  auto& machine = std::get<kCancels<One>>(found->second);
  machine.cancel(command, whole, *this);
  if (machine.done()) run_.table.erase(found);
}

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_RUN_MACHINES_H_
