// The commands of a completed workflow task: checked all before any is applied, because the first
// bad one fails the task and leaves no trace of the others. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_TURN_COMMANDS_H_
#define CHIMERA_SERVER_ENGINE_TURN_COMMANDS_H_

#include <string>

#include "absl/status/statusor.h"

#include "server/engine/pending/kind.h"
#include "server/engine/rules/verdict.h"
#include "server/engine/run/run.h"

namespace chimera::server {

// An InvalidArgument for a request that is nonsense as a whole; a TaskFailure for a bad command;
// nothing if all are good.
absl::StatusOr<Verdict> check_commands(const Engine& engine, const Run& run,
                                       const wf::RespondWorkflowTaskCompletedRequest& request);
// The suffix of WORKFLOW_TASK_FAILED_CAUSE_..., in CamelCase, as error texts have it.
std::string task_failed_cause_name(enums::WorkflowTaskFailedCause cause);
// One after another, and the messages, each where its command stands or at the end. What reaches
// beyond the run is posted as a follow-up of the turn.
void apply_commands(CommandTurn& turn, wf::RespondWorkflowTaskCompletedRequest& request);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_TURN_COMMANDS_H_
