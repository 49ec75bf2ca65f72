// The commands of a completed workflow task: checked all before any is applied, because the first
// bad one fails the task and leaves no trace of the others. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_TURN_COMMANDS_H_
#define CHIMERA_SERVER_ENGINE_TURN_COMMANDS_H_

#include <optional>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

#include "server/engine/turn/workflow_task.h"

namespace chimera::server {

// An InvalidArgument for a request that is nonsense as a whole; a TaskFailure for a bad command;
// nothing if all are good.
absl::StatusOr<Verdict> check_commands(Engine& engine, const Run& run,
                                       const wf::RespondWorkflowTaskCompletedRequest& request);
bool is_close_command(enums::CommandType type);
// The suffix of WORKFLOW_TASK_FAILED_CAUSE_..., in CamelCase, as error texts have it.
std::string task_failed_cause_name(enums::WorkflowTaskFailedCause cause);

// Applies one command after another. What reaches beyond the run is posted as a follow-up of the
// turn.
class CommandApplier {
 public:
  CommandApplier(Transition& t, wf::RespondWorkflowTaskCompletedRequest& request,
                 std::int64_t completed_id)
      : t_(t), request_(request), completed_id_(completed_id) {}
  void apply(command::Command& command);
  void apply_remaining_messages();
  // Scheduled ids of activities that the worker wants to have at once.
  const std::vector<std::int64_t>& eager_activities() const { return eager_; }

 private:
  HistoryEvent event(enums::EventType type, command::Command& command);
  void schedule_activity(command::Command& command);
  void cancel_activity(command::Command& command);
  void start_timer(command::Command& command);
  void cancel_timer(command::Command& command);
  void record_marker(command::Command& command);
  void upsert_search_attributes(command::Command& command);
  void modify_properties(command::Command& command);
  void complete(command::Command& command);
  void fail(command::Command& command);
  void cancel(command::Command& command);
  void continue_as_new(command::Command& command);
  void start_child(command::Command& command);
  void signal_external(command::Command& command);
  void cancel_external(command::Command& command);
  void apply_message(const std::string& id);

  Transition& t_;
  wf::RespondWorkflowTaskCompletedRequest& request_;
  const std::int64_t completed_id_;
  std::vector<std::int64_t> eager_;
  absl::flat_hash_set<std::string> applied_messages_;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_TURN_COMMANDS_H_
