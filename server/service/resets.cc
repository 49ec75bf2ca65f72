// ResetWorkflowExecution.
#include <algorithm>

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/rules/limits.h"
#include "server/engine/turn/reset.h"
#include "server/service/executions.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/service/workflow_options.h"

namespace chimera::server {
namespace {

absl::Status check_range(const Run& base, std::int64_t finish) {
  if (finish <= 1 || finish > base.events.events_size())
    return invalid("Workflow task finish ID must be > 1 && <= workflow last event ID.");
  return absl::OkStatus();
}

// A workflow task is open before event `finish`, or failed and is to be tried again.
bool has_task_before(const Run& base, std::int64_t finish) {
  for (std::int64_t id = finish - 1; id > 0; --id) {
    const HistoryEvent& event = base.events.events(static_cast<int>(id - 1));
    switch (event.event_type()) {
      case enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
      case enums::EVENT_TYPE_WORKFLOW_TASK_STARTED:
      case enums::EVENT_TYPE_WORKFLOW_TASK_FAILED:
        return true;
      case enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
        return event.workflow_task_timed_out_event_attributes().timeout_type() ==
               enums::TIMEOUT_TYPE_START_TO_CLOSE;
      case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
        return false;
      default:
        break;
    }
  }
  return false;
}

// As the genuine server: the point is between two batches of events, where the run has a task.
absl::Status check_point(const Run& base, std::int64_t finish) {
  if (!std::binary_search(base.batches.begin(), base.batches.end(), finish)) {
    return invalid(absl::StrCat("StateRebuilder unable to Rebuild mutable state to event ID: ",
                                finish - 1, ", version: 0, this event must be at the boundary"));
  }
  if (!has_task_before(base, finish)) {
    return invalid(
        absl::StrCat("Can only reset workflow to event ID in range "
                     "[WorkflowTaskScheduled +1, WorkflowTaskStarted + 1]: ",
                     finish));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status reset_workflow(Engine& engine, wf::ResetWorkflowExecutionRequest& request,
                            wf::ResetWorkflowExecutionResponse& response) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if (request.request_id().empty()) return invalid("RequestId is not set on request.");
  if (absl::Status s = check_length("RequestId", request.request_id()); !s.ok()) return s;
  if (!enums::ResetReapplyType_IsValid(request.reset_reapply_type())) {
    return invalid(absl::StrCat("unknown reset_reapply_type: ",
                                static_cast<int>(request.reset_reapply_type())));
  }
  if (absl::Status s =
          check_time_skipping(engine.config(), *request.mutable_post_reset_operations());
      !s.ok())
    return s;
  const auto& execution = request.workflow_execution();
  absl::StatusOr<const Run*> base =
      engine.runs().find(**ns, execution.workflow_id(), execution.run_id());
  if (!base.ok()) return base.status();
  const std::int64_t finish = request.workflow_task_finish_event_id();
  if (absl::Status s = check_range(**base, finish); !s.ok()) return s;
  if (absl::Status s = check_post_reset(engine, **base, request.post_reset_operations()); !s.ok())
    return s;
  const Run* current = engine.runs().current(**ns, execution.workflow_id());
  if (current->start_request_id == request.request_id()) {
    response.set_run_id(current->run_id);
    return absl::OkStatus();
  }
  if (absl::Status s = check_point(**base, finish); !s.ok()) return s;
  response.set_run_id(reset_run(engine, **base, request));
  return absl::OkStatus();
}

void register_resets(MethodTable& table) { table.add("ResetWorkflowExecution", reset_workflow); }

}  // namespace chimera::server
