// What an operator does to a workflow as a whole: changes its options, pauses and unpauses it.
// Texts are those of the genuine server (1.32).
#include "server/service/workflow_options.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/rules/limits.h"
#include "server/engine/turn/options.h"
#include "server/engine/turn/pausing.h"
#include "server/service/executions.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/service/request_checks.h"

namespace chimera::server {
namespace {

// Of a pause and its end.
absl::Status check_wish(const auto& request) {
  if (request.reason().size() > kIdMax) return invalid("reason is too long.");
  if (request.request_id().size() > kIdMax) return invalid("request id is too long.");
  if (request.identity().size() > kIdMax) return invalid("identity is too long.");
  return absl::OkStatus();
}

absl::StatusOr<const Run*> target(Engine& engine, const auto& request) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  common::WorkflowExecution execution;
  execution.set_workflow_id(request.workflow_id());
  execution.set_run_id(request.run_id());
  return engine.runs().find_running(**ns, execution);
}

absl::Status pause_workflow(Engine& engine, wf::PauseWorkflowExecutionRequest& request,
                            wf::PauseWorkflowExecutionResponse&) {
  if (!engine.config().workflow_pause) {
    return absl::UnimplementedError(
        absl::StrCat("workflow pause is not enabled for namespace: ", request.namespace_()));
  }
  if (absl::Status s = check_wish(request); !s.ok()) return s;
  absl::StatusOr<const Run*> run = target(engine, request);
  if (!run.ok()) return run.status();
  if (const RunPause* pause = (*run)->pause.get()) {
    if (!request.request_id().empty() && pause->request_id == request.request_id())
      return absl::OkStatus();
    return absl::FailedPreconditionError("workflow is already paused.");
  }
  pause_run(engine, **run, {request.identity(), request.reason(), request.request_id()});
  return absl::OkStatus();
}

absl::Status unpause_workflow(Engine& engine, wf::UnpauseWorkflowExecutionRequest& request,
                              wf::UnpauseWorkflowExecutionResponse&) {
  if (absl::Status s = check_wish(request); !s.ok()) return s;
  absl::StatusOr<const Run*> run = target(engine, request);
  if (!run.ok()) return run.status();
  if ((*run)->pause == nullptr) return absl::FailedPreconditionError("workflow is not paused.");
  unpause_run(engine, **run, {request.identity(), request.reason(), request.request_id()});
  return absl::OkStatus();
}

}  // namespace

absl::Status check_time_skipping(const DynamicConfig& config, RunOptions& options) {
  return options.has_time_skipping_config()
             ? check_time_skipping(config, *options.mutable_time_skipping_config())
             : absl::OkStatus();
}

absl::Status check_time_skipping(
    const DynamicConfig& config,
    google::protobuf::RepeatedPtrField<PostResetOperation>& operations) {
  for (PostResetOperation& operation : operations) {
    if (!operation.has_update_workflow_options()) continue;
    auto& update = *operation.mutable_update_workflow_options();
    if (absl::Status s = check_time_skipping(config, *update.mutable_workflow_execution_options());
        !s.ok())
      return s;
  }
  return absl::OkStatus();
}

absl::Status check_post_reset(
    const Engine& engine, const Run& run,
    const google::protobuf::RepeatedPtrField<PostResetOperation>& operations) {
  for (const PostResetOperation& operation : operations) {
    if (!operation.has_update_workflow_options()) {
      return invalid(absl::StrCat("unsupported post reset operation: ",
                                  operation.has_signal_workflow()
                                      ? "*workflow.PostResetOperation_SignalWorkflow_"
                                      : "<nil>"));
    }
    const auto& update = operation.update_workflow_options();
    if (absl::Status s = check_options(engine, run, update.workflow_execution_options()); !s.ok())
      return s;
    if (absl::Status s = check_options_mask(update.update_mask()); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status update_workflow_options(Engine& engine,
                                     wf::UpdateWorkflowExecutionOptionsRequest& request,
                                     wf::UpdateWorkflowExecutionOptionsResponse& response) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  const auto& execution = request.workflow_execution();
  if (execution.workflow_id().empty()) return invalid("WorkflowId is not set on request.");
  if (!request.has_update_mask()) return invalid("UpdateMask is required");
  if (!request.has_workflow_execution_options())
    return invalid("WorkflowExecutionOptions is required");
  RunOptions& wanted = *request.mutable_workflow_execution_options();
  absl::Status mask = check_options_mask(request.update_mask());
  if (!mask.ok() && absl::StartsWith(mask.message(), "error parsing")) return mask;
  if (std::string problem = priority_problem(wanted.priority()); !problem.empty())
    return invalid(problem);
  if (absl::Status s = check_time_skipping(engine.config(), wanted); !s.ok()) return s;
  if (absl::Status s = check_run_id(execution.run_id()); !s.ok()) return s;
  absl::StatusOr<const Run*> run = engine.runs().find_running(**ns, execution);
  if (!run.ok()) return run.status();
  if (absl::Status s = check_options(engine, **run, wanted); !s.ok()) return s;
  if (!mask.ok()) return mask;
  RunOptions merged = merged_options(**run, wanted, request.update_mask());
  *response.mutable_workflow_execution_options() = merged;
  Transition t(engine, **run);
  const bool forwards = fast_forwards(wanted, request.update_mask());
  if (!set_options(t, std::move(merged), request.identity(), forwards)) t.count_if_written();
  t.commit();
  return absl::OkStatus();
}

void register_workflow_options(MethodTable& table) {
  table.add("UpdateWorkflowExecutionOptions", update_workflow_options);
  table.add("PauseWorkflowExecution", pause_workflow);
  table.add("UnpauseWorkflowExecution", unpause_workflow);
}

}  // namespace chimera::server
