// What a batch operation does to one execution. Texts are those of the genuine server (1.32).
#include "absl/strings/str_cat.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/schedules.h"
#include "server/service/activity_options.h"
#include "server/service/batches.h"
#include "server/service/executions.h"

namespace chimera::server {
namespace {

using Execution = common::WorkflowExecution;

// Of a request about the execution.
template <class Request>
Request about(const BatchRequest& batch, const Execution& execution) {
  Request request;
  request.set_namespace_(batch.namespace_());
  if constexpr (requires { request.mutable_workflow_execution(); })
    *request.mutable_workflow_execution() = execution;
  else
    *request.mutable_execution() = execution;
  return request;
}

template <class Request, class Response>
absl::Status call(Engine& engine, absl::Status (*handler)(Engine&, Request&, Response&),
                  Request request) {
  Response response;
  return handler(engine, request, response);
}

// Which activities of the execution.
void pick(const auto& operation, auto& request, auto set_all) {
  if (operation.has_type())
    request.set_type(operation.type());
  else
    set_all(request);
}

// A task's end: of the first or the last that was completed, else behind what was scheduled.
absl::StatusOr<std::int64_t> end_of_task(const Run& run, bool first) {
  std::int64_t scheduled = 0, completed = 0;
  for (const HistoryEvent& event : run.events.events()) {
    if (event.event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED) {
      completed = event.event_id();
      if (first) return completed;
    }
    if (event.event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED && scheduled == 0)
      scheduled = event.event_id();
  }
  if (completed != 0) return completed;
  if (scheduled != 0) return scheduled + 1;
  return absl::FailedPreconditionError("unable to find any scheduled or completed task");
}

absl::StatusOr<std::int64_t> point_of_build(const Run& run, const common::ResetOptions& options,
                                            WallTime now, Execution& execution) {
  const std::string& build = options.build_id();
  for (const auto& point : run.reset_points.points()) {
    if (point.build_id() != build) continue;
    const auto refused = [&build](const char* why) {
      return absl::FailedPreconditionError(absl::StrCat("Reset point for ", build, " ", why));
    };
    if (!point.resettable()) return refused("is not resettable");
    if (point.has_expire_time() && to_wall(point.expire_time()) < now) return refused("is expired");
    if (execution.run_id() != point.run_id() && options.current_run_only())
      return refused("points to previous run and CurrentRunOnly is set");
    execution.set_run_id(point.run_id());
    return point.first_workflow_task_completed_id();
  }
  return absl::NotFoundError(absl::StrCat("Can't find reset point for ", build));
}

// Where the reset is to go; `execution` becomes the run that has the point.
absl::StatusOr<std::int64_t> point_of(Engine& engine, const Run& run,
                                      const ::temporal::api::batch::v1::BatchOperationReset& reset,
                                      Execution& execution) {
  using Target = common::ResetOptions::TargetCase;
  if (!reset.has_options())
    return end_of_task(run, reset.reset_type() == enums::RESET_TYPE_FIRST_WORKFLOW_TASK);
  switch (reset.options().target_case()) {
    case Target::kFirstWorkflowTask:
      return end_of_task(run, /*first=*/true);
    case Target::kLastWorkflowTask:
      return end_of_task(run, /*first=*/false);
    case Target::kWorkflowTaskId:
      return reset.options().workflow_task_id();
    default:
      return point_of_build(run, reset.options(), engine.now(), execution);
  }
}

absl::Status reset_one(Engine& engine, const std::string& batch, const BatchRequest& request,
                       Execution execution) {
  const auto& reset = request.reset_operation();
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  absl::StatusOr<const Run*> run =
      engine.runs().find(**ns, execution.workflow_id(), execution.run_id());
  if (!run.ok()) return run.status();
  // As it was asked for, so that the same one is not done again.
  const std::string request_id = absl::StrCat(batch, ":", execution.run_id());
  absl::StatusOr<std::int64_t> point = point_of(engine, **run, reset, execution);
  // A point that is not there is a failure, an execution that is not there is none.
  if (!point.ok()) return absl::FailedPreconditionError(point.status().message());
  auto one = about<wf::ResetWorkflowExecutionRequest>(request, execution);
  one.set_reason(request.reason());
  one.set_request_id(request_id);
  one.set_workflow_task_finish_event_id(*point);
  one.set_reset_reapply_type(reset.has_options() ? reset.options().reset_reapply_type()
                                                 : reset.reset_reapply_type());
  *one.mutable_reset_reapply_exclude_types() = reset.options().reset_reapply_exclude_types();
  *one.mutable_post_reset_operations() = reset.post_reset_operations();
  one.set_identity(reset.identity());
  return call(engine, reset_workflow, std::move(one));
}

absl::Status signal_one(Engine& engine, const std::string& batch, const BatchRequest& request,
                        const Execution& execution) {
  const auto& signal = request.signal_operation();
  auto one = about<wf::SignalWorkflowExecutionRequest>(request, execution);
  one.set_signal_name(signal.signal());
  if (signal.has_input()) *one.mutable_input() = signal.input();
  if (signal.has_header()) *one.mutable_header() = signal.header();
  one.set_identity(signal.identity());
  one.set_request_id(batch);
  return call(engine, signal_workflow, std::move(one));
}

absl::Status unpause_one(Engine& engine, const BatchRequest& request, const Execution& execution) {
  const auto& operation = request.unpause_activities_operation();
  auto one = about<wf::UnpauseActivityRequest>(request, execution);
  one.set_identity(operation.identity());
  one.set_reset_attempts(operation.reset_attempts());
  one.set_reset_heartbeat(operation.reset_heartbeat());
  if (operation.has_jitter()) *one.mutable_jitter() = operation.jitter();
  pick(operation, one, [](auto& r) { r.set_unpause_all(true); });
  return call(engine, unpause, std::move(one));
}

absl::Status reset_activities(Engine& engine, const BatchRequest& request,
                              const Execution& execution) {
  const auto& operation = request.reset_activities_operation();
  auto one = about<wf::ResetActivityRequest>(request, execution);
  one.set_identity(operation.identity());
  one.set_reset_heartbeat(operation.reset_heartbeat());
  one.set_keep_paused(operation.keep_paused());
  one.set_restore_original_options(operation.restore_original_options());
  if (operation.has_jitter()) *one.mutable_jitter() = operation.jitter();
  pick(operation, one, [](auto& r) { r.set_match_all(true); });
  return call(engine, reset, std::move(one));
}

absl::Status update_activities(Engine& engine, const BatchRequest& request,
                               const Execution& execution) {
  const auto& operation = request.update_activity_options_operation();
  auto one = about<wf::UpdateActivityOptionsRequest>(request, execution);
  one.set_identity(operation.identity());
  one.set_restore_original(operation.restore_original());
  if (operation.has_activity_options())
    *one.mutable_activity_options() = operation.activity_options();
  if (operation.has_update_mask()) *one.mutable_update_mask() = operation.update_mask();
  pick(operation, one, [](auto& r) { r.set_match_all(true); });
  return call(engine, update_options, std::move(one));
}

absl::Status update_one(Engine& engine, const BatchRequest& request, const Execution& execution) {
  const auto& operation = request.update_workflow_options_operation();
  auto one = about<wf::UpdateWorkflowExecutionOptionsRequest>(request, execution);
  *one.mutable_workflow_execution_options() = operation.workflow_execution_options();
  *one.mutable_update_mask() = operation.update_mask();
  one.set_identity(operation.identity());
  return call(engine, update_workflow_options, std::move(one));
}

// Lists show schedules as workflows, which can be ended and nothing else.
absl::Status check_schedule(Engine& engine, const BatchRequest& request,
                            const Execution& execution) {
  if (request.has_termination_operation() || request.has_deletion_operation())
    return absl::OkStatus();
  const Namespace* ns = engine.namespaces().find(request.namespace_());
  if (ns == nullptr || engine.schedules->shown_as(*ns, execution) == nullptr)
    return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(execution.workflow_id(), " is a schedule: it can only be ended"));
}

}  // namespace

absl::Status operate(Engine& engine, const std::string& batch, const BatchRequest& request,
                     const Execution& execution) {
  using Operation = BatchRequest::OperationCase;
  if (absl::Status s = check_schedule(engine, request, execution); !s.ok()) return s;
  switch (request.operation_case()) {
    case Operation::kTerminationOperation: {
      auto one = about<wf::TerminateWorkflowExecutionRequest>(request, execution);
      one.set_reason(request.reason());
      one.set_identity(request.termination_operation().identity());
      *one.mutable_details() = request.termination_operation().details();
      return call(engine, terminate, std::move(one));
    }
    case Operation::kCancellationOperation: {
      auto one = about<wf::RequestCancelWorkflowExecutionRequest>(request, execution);
      one.set_identity(request.cancellation_operation().identity());
      return call(engine, request_cancel, std::move(one));
    }
    case Operation::kDeletionOperation:
      return call(engine, delete_execution,
                  about<wf::DeleteWorkflowExecutionRequest>(request, execution));
    case Operation::kSignalOperation:
      return signal_one(engine, batch, request, execution);
    case Operation::kResetOperation:
      return reset_one(engine, batch, request, execution);
    case Operation::kUnpauseActivitiesOperation:
      return unpause_one(engine, request, execution);
    case Operation::kResetActivitiesOperation:
      return reset_activities(engine, request, execution);
    case Operation::kUpdateActivityOptionsOperation:
      return update_activities(engine, request, execution);
    case Operation::kUpdateWorkflowOptionsOperation:
      return update_one(engine, request, execution);
    default:
      return absl::UnimplementedError("a batch operation of an unknown kind");
  }
}

}  // namespace chimera::server
