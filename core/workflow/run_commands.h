// RunCommands, what becomes of the language's commands: those of machines go there, the others
// become commands for the server here. Lane thread.
#ifndef CHIMERA_CORE_WORKFLOW_RUN_COMMANDS_H_
#define CHIMERA_CORE_WORKFLOW_RUN_COMMANDS_H_

#include <memory>
#include <vector>

#include "core/workflow/run_data.h"
#include "core/workflow/run_machines.h"

namespace chimera::core {

class RunCommands {
 public:
  // Both borrowed.
  RunCommands(RunData& run, RunMachines& machines) : run_(run), machines_(machines) {}
  // All that a completion brought.
  absl::Status take(std::vector<Command>& commands);

 private:
  absl::Status take_each(std::vector<Command>& commands);
  absl::Status take_issued();
  template <class One>
  absl::Status take(One& command, Command& whole);
  absl::Status take_other(SetPatchMarker& command, Command& whole);
  absl::Status take_other(RecordOnce& command, Command& whole);
  absl::Status take_other(UpsertWorkflowSearchAttributes& command, Command& whole);
  absl::Status take_other(ModifyWorkflowProperties& command, Command& whole);
  absl::Status take_other(CompleteWorkflowExecution& command, Command& whole);
  absl::Status take_other(FailWorkflowExecution& command, Command& whole);
  absl::Status take_other(CancelWorkflowExecution& command, Command& whole);
  absl::Status take_other(ContinueAsNewWorkflowExecution& command, Command& whole);
  absl::Status take_other(RespondToQuery& command, Command& whole);
  absl::Status take_other(UpdateResponse& command, Command& whole);
  void end_with(EventType confirmed_by, CommandPtr command);

  RunData& run_;
  RunMachines& machines_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_RUN_COMMANDS_H_
