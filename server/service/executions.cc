// What clients do to executions: signal, cancel, terminate, delete, describe.
#include "server/service/executions.h"

#include "server/base/errors.h"
#include "server/engine/archival.h"
#include "server/engine/engine.h"
#include "server/engine/nexus/invocation.h"
#include "server/engine/rules/limits.h"
#include "server/engine/rules/start_attributes.h"
#include "server/engine/run/describe.h"
#include "server/engine/schedules.h"
#include "server/engine/turn/incoming.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/service/starts.h"

namespace chimera::server {
namespace {

// The running run that a request means; a first run id guards against another chain.
template <class Request>
absl::StatusOr<const Run*> target(Engine& engine, const Request& request, bool must_run = true) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  const auto& execution = request.workflow_execution();
  absl::StatusOr<const Run*> run =
      must_run ? engine.runs().find_running(**ns, execution)
               : engine.runs().find(**ns, execution.workflow_id(), execution.run_id());
  if (!run.ok()) return run.status();
  if constexpr (requires { request.first_execution_run_id(); }) {
    const std::string& first = request.first_execution_run_id();
    if (!first.empty() && (*run)->first_run_id != first)
      return not_found("workflow execution not found");
  }
  return run;
}

// To end what lists show as a schedule's workflow is to end the schedule. `otherwise`: the answer
// if there is none.
absl::Status end_schedule(Engine& engine, const auto& request, const absl::Status& otherwise) {
  const Namespace* ns = engine.namespaces().find(request.namespace_());
  Schedules::Schedule* schedule =
      ns == nullptr ? nullptr : engine.schedules->shown_as(*ns, request.workflow_execution());
  if (schedule == nullptr) return otherwise;
  engine.schedules->erase(*schedule);
  return absl::OkStatus();
}

wf::StartWorkflowExecutionRequest start_part(wf::SignalWithStartWorkflowExecutionRequest& from) {
  wf::StartWorkflowExecutionRequest start;
  copy_start(from, start);
  if (from.has_task_queue()) start.mutable_task_queue();  // Though it has no name.
  return start;
}

absl::Status signal_with_start(Engine& engine, wf::SignalWithStartWorkflowExecutionRequest& request,
                               wf::SignalWithStartWorkflowExecutionResponse& response) {
  if (request.signal_name().empty()) return invalid("SignalName is not set on request.");
  if (absl::Status s = check_length("SignalName", request.signal_name()); !s.ok()) return s;
  if (absl::Status s = check_blob(request.signal_input()); !s.ok()) return s;
  history::WorkflowExecutionSignaledEventAttributes a;
  a.set_signal_name(request.signal_name());
  if (request.has_signal_input()) *a.mutable_input() = std::move(*request.mutable_signal_input());
  a.set_identity(request.identity());
  if (request.has_header()) *a.mutable_header() = request.header();  // The start's, too.
  wf::StartWorkflowExecutionRequest start = start_part(request);
  if (absl::Status s = validate_start(engine, start); !s.ok()) return s;
  Namespace& ns = *engine.namespaces().find(start.namespace_());
  auto conflict = start.workflow_id_conflict_policy();
  if (conflict == enums::WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED) {
    conflict = enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING;
  }
  if (conflict == enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL) {
    return invalid(
        "Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported for "
        "this operation.");
  }
  absl::StatusOr<StartDecision> decision =
      decide_start(engine, ns, start.workflow_id(), start.request_id(),
                   start.workflow_id_reuse_policy(), conflict);
  if (!decision.ok()) return decision.status();
  if (decision->use != nullptr) {
    const Run& run = *decision->use;
    response.set_run_id(run.run_id);
    response.set_first_execution_run_id(run.first_run_id);
    if (decision->deduplicated) return absl::OkStatus();
    if (absl::Status s = check_signal(engine, run); !s.ok()) return s;
    if (!signal_run(engine, run, std::move(a), start.request_id(), start.mutable_links()))
      return absl::OkStatus();
    if (run.backoff_until != kUnset) wake_delayed(engine, run);
    return absl::OkStatus();
  }
  StartSpec spec = spec_of(engine, ns, start);
  if (decision->terminate != nullptr) {
    terminate_run(engine, *decision->terminate, "TerminateIfRunning WorkflowIdReusePolicy", nullptr,
                  "history-service");
  }
  spec.signal = std::move(a);
  const Run& run = create_run(engine, std::move(spec));
  response.set_run_id(run.run_id);
  response.set_first_execution_run_id(run.first_run_id);
  response.set_started(true);
  return absl::OkStatus();
}

absl::Status describe(Engine& engine, wf::DescribeWorkflowExecutionRequest& request,
                      wf::DescribeWorkflowExecutionResponse& response) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  absl::StatusOr<const Run*> run =
      engine.runs().find(**ns, request.execution().workflow_id(), request.execution().run_id());
  if (!run.ok()) return run.status();
  describe_run(**run, engine.now(), response);
  nexus_invocation::show_blocked(engine, **run, response);
  return absl::OkStatus();
}

}  // namespace

absl::Status signal_workflow(Engine& engine, wf::SignalWorkflowExecutionRequest& request,
                             wf::SignalWorkflowExecutionResponse& response) {
  if (request.signal_name().empty()) return invalid("SignalName is not set on request.");
  if (absl::Status s = check_length("SignalName", request.signal_name()); !s.ok()) return s;
  if (absl::Status s = check_length("RequestId", request.request_id()); !s.ok()) return s;
  if (std::string problem = links_problem(request.links()); !problem.empty())
    return invalid(problem);
  if (absl::Status s = check_blob(request.input()); !s.ok()) return s;
  absl::StatusOr<const Run*> found = target(engine, request);
  if (!found.ok()) return found.status();
  const Run& run = **found;
  if (absl::Status s = check_signal(engine, run); !s.ok()) return s;
  history::WorkflowExecutionSignaledEventAttributes a;
  a.set_signal_name(request.signal_name());
  if (request.has_input()) *a.mutable_input() = std::move(*request.mutable_input());
  a.set_identity(request.identity());
  if (request.has_header()) *a.mutable_header() = std::move(*request.mutable_header());
  signal_run(engine, run, std::move(a), request.request_id(), request.mutable_links());
  return absl::OkStatus();
}

absl::Status request_cancel(Engine& engine, wf::RequestCancelWorkflowExecutionRequest& request,
                            wf::RequestCancelWorkflowExecutionResponse&) {
  if (std::string problem = links_problem(request.links()); !problem.empty())
    return invalid(problem);
  absl::StatusOr<const Run*> found = target(engine, request, /*must_run=*/false);
  if (!found.ok()) return found.status();
  if (!(*found)->running() || (*found)->cancel_requested) return absl::OkStatus();
  history::WorkflowExecutionCancelRequestedEventAttributes a;
  a.set_cause(request.reason());
  a.set_identity(request.identity());
  cancel_run(engine, **found, std::move(a));
  return absl::OkStatus();
}

absl::Status terminate(Engine& engine, wf::TerminateWorkflowExecutionRequest& request,
                       wf::TerminateWorkflowExecutionResponse&) {
  absl::StatusOr<const Run*> found = target(engine, request);
  if (!found.ok()) return end_schedule(engine, request, found.status());
  terminate_run(engine, **found,
                request.reason().empty() ? "terminated by user via frontend" : request.reason(),
                &request.details(),
                request.identity().empty() ? "frontend-service" : request.identity());
  return absl::OkStatus();
}

absl::Status delete_execution(Engine& engine, wf::DeleteWorkflowExecutionRequest& request,
                              wf::DeleteWorkflowExecutionResponse&) {
  absl::StatusOr<const Run*> found = target(engine, request, /*must_run=*/false);
  if (!found.ok()) return end_schedule(engine, request, found.status());
  const RunPtr keep = share(**found);
  if (keep->running())
    terminate_run(engine, *keep, "Delete workflow execution", nullptr, "history-service");
  engine.follow_up([&engine, keep] {
    if (engine.archival->holds(keep->run_id))
      engine.archival->delete_when_archived(keep->run_id);
    else if (engine.runs().by_id(keep->run_id) != nullptr)
      engine.runs().erase_for_good(*keep);
  });
  return absl::OkStatus();
}

void register_executions(MethodTable& table) {
  table.add("SignalWorkflowExecution", signal_workflow);
  table.add("SignalWithStartWorkflowExecution", signal_with_start);
  table.add("RequestCancelWorkflowExecution", request_cancel);
  table.add("TerminateWorkflowExecution", terminate);
  table.add("DeleteWorkflowExecution", delete_execution);
  table.add("DescribeWorkflowExecution", describe);
}

}  // namespace chimera::server
