// Nexus operations that stand alone, as clients see them: start, describe, wait, cancel, terminate,
// delete. As by the genuine server 1.32, the first to have them, which passes over a start's
// callbacks and links.
#include "temporal/api/errordetails/v1/message.pb.h"

#include "server/base/tokens.h"
#include "server/engine/nexus/endpoints.h"
#include "server/engine/standalone/operation_change.h"
#include "server/engine/standalone/operation_view.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/service/operation_checks.h"
#include "server/service/standalone_wait.h"
#include "server/visibility/attributes.h"

namespace chimera::server {
namespace {

using StartRequest = wf::StartNexusOperationExecutionRequest;
using Stage = enums::NexusOperationWaitStage;

// --- Start.

std::shared_ptr<OperationExecution> execution_of(Engine& engine, Namespace& ns,
                                                 const NexusEndpoint& endpoint,
                                                 StartRequest& request) {
  auto execution = std::make_shared<OperationExecution>();
  execution->ns = &ns;
  execution->run_id = engine.ids().run_id(engine.now());
  execution->operation_id = request.operation_id();
  execution->identity = request.identity();
  execution->scheduled = engine.now();
  set(execution->event.mutable_event_time(), execution->scheduled);
  auto& a = *execution->event.mutable_nexus_operation_scheduled_event_attributes();
  a.set_endpoint(request.endpoint());
  a.set_endpoint_id(endpoint.message.id());
  a.set_service(request.service());
  a.set_operation(request.operation());
  if (request.has_input()) a.mutable_input()->Swap(request.mutable_input());
  if (request.has_schedule_to_close_timeout())
    *a.mutable_schedule_to_close_timeout() = request.schedule_to_close_timeout();
  if (request.has_schedule_to_start_timeout())
    *a.mutable_schedule_to_start_timeout() = request.schedule_to_start_timeout();
  if (request.has_start_to_close_timeout())
    *a.mutable_start_to_close_timeout() = request.start_to_close_timeout();
  a.mutable_nexus_header()->swap(*request.mutable_nexus_header());
  a.set_request_id(engine.ids().uuid());
  execution->search_attributes = with_types(ns.search_attributes, request.search_attributes());
  execution->user_metadata.Swap(request.mutable_user_metadata());
  execution->start_request_id = request.request_id();
  return execution;
}

absl::Status already_there(const OperationExecution& execution) {
  ::temporal::api::errordetails::v1::NexusOperationExecutionAlreadyStartedFailure detail;
  detail.set_start_request_id(execution.start_request_id);
  detail.set_run_id(execution.run_id);
  return error_with_detail(absl::StatusCode::kAlreadyExists,
                           absl::StrCat("nexus operation execution already started: request_id=",
                                        execution.start_request_id, ", run_id=", execution.run_id),
                           detail);
}

// Whether the one that has the id stands for the start; an error refuses it.
absl::StatusOr<bool> decide(const OperationExecution* current, const StartRequest& request) {
  if (current == nullptr) return false;
  if (current->start_request_id == request.request_id()) return true;
  if (current->open()) {
    if (request.id_conflict_policy() == enums::NEXUS_OPERATION_ID_CONFLICT_POLICY_USE_EXISTING)
      return true;
    return already_there(*current);
  }
  const auto policy = request.id_reuse_policy();
  const bool completed = current->status == enums::NEXUS_OPERATION_EXECUTION_STATUS_COMPLETED;
  if (policy == enums::NEXUS_OPERATION_ID_REUSE_POLICY_REJECT_DUPLICATE ||
      (policy == enums::NEXUS_OPERATION_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY && completed))
    return already_there(*current);
  return false;
}

absl::Status start(Engine& engine, StartRequest& request,
                   wf::StartNexusOperationExecutionResponse& response) {
  absl::StatusOr<Namespace*> ns = operations_namespace(engine, request);
  if (!ns.ok()) return ns.status();
  if (absl::Status s = check_operation_start(engine, **ns, request); !s.ok()) return s;
  const NexusEndpoint* endpoint = engine.nexus_endpoints->find_by_name(request.endpoint());
  if (endpoint == nullptr) {
    return not_found(absl::StrCat("could not find Nexus endpoint by name: ", request.endpoint()));
  }
  OperationExecutions& all = *engine.operation_executions;
  const OperationExecution* execution = all.current(**ns, request.operation_id());
  const absl::StatusOr<bool> there = decide(execution, request);
  if (!there.ok()) return there.status();
  if (!*there) {
    execution = &all.add(execution_of(engine, **ns, *endpoint, request));
    OperationChange change(engine, *execution);
    change.send();
    change.commit();
  }
  response.set_run_id(execution->run_id);
  response.set_started(!*there);
  return absl::OkStatus();
}

// --- Reads, which may wait.

using PollCall =
    TypedCall<wf::PollNexusOperationExecutionRequest, wf::PollNexusOperationExecutionResponse>;
using DescribeCall = TypedCall<wf::DescribeNexusOperationExecutionRequest,
                               wf::DescribeNexusOperationExecutionResponse>;

template <class Response>
void fill_outcome(const OperationExecution& execution, Response& response) {
  if (execution.result != nullptr) *response.mutable_result() = *execution.result;
  if (execution.failure != nullptr) *response.mutable_failure() = *execution.failure;
}

void fill(const OperationExecution& execution, Engine& engine,
          const wf::DescribeNexusOperationExecutionRequest& request,
          wf::DescribeNexusOperationExecutionResponse& response) {
  response.set_run_id(execution.run_id);
  describe(execution, engine.now(), *response.mutable_info());
  if (request.include_input() && execution.attributes().has_input())
    *response.mutable_input() = execution.attributes().input();
  if (request.include_outcome()) fill_outcome(execution, response);
  response.set_long_poll_token(
      PageToken{execution.run_id, execution.transitions, 0, true, false}.encode());
}

absl::Status poll(Engine& engine, PollCall call) {
  absl::StatusOr<const OperationExecution*> found = find_operation(engine, call.request());
  if (!found.ok()) return found.status();
  const Stage stage = call.request().wait_stage();
  answer_when(engine, call.raw(), **found, [call, stage](const OperationExecution& execution) {
    const bool begun = execution.operation.is_started();
    if (execution.open() && (stage != enums::NEXUS_OPERATION_WAIT_STAGE_STARTED || !begun))
      return false;
    auto& response = call.response();
    response.set_run_id(execution.run_id);
    response.set_operation_token(execution.operation.token);
    response.set_wait_stage(execution.open() ? enums::NEXUS_OPERATION_WAIT_STAGE_STARTED
                                             : enums::NEXUS_OPERATION_WAIT_STAGE_CLOSED);
    fill_outcome(execution, response);
    return true;
  });
  return absl::OkStatus();
}

absl::Status describe_call(Engine& engine, DescribeCall call) {
  const auto& request = call.request();
  absl::StatusOr<const OperationExecution*> found = find_operation(engine, call.request());
  if (!found.ok()) return found.status();
  const auto token = PageToken::decode(request.long_poll_token());
  if (!token) {
    fill(**found, engine, request, call.response());
    engine.finish(call.raw(), absl::OkStatus());
    return absl::OkStatus();
  }
  if (token->run_id != (*found)->run_id) return invalid("long poll token does not match execution");
  answer_when(engine, call.raw(), **found,
              [&engine, call, seen = token->next_id](const OperationExecution& execution) {
                if (execution.transitions == seen) return false;
                fill(execution, engine, call.request(), call.response());
                return true;
              });
  return absl::OkStatus();
}

// --- Ends.

absl::Status request_cancel(Engine& engine,
                            wf::RequestCancelNexusOperationExecutionRequest& request,
                            wf::RequestCancelNexusOperationExecutionResponse&) {
  absl::StatusOr<const OperationExecution*> found = find_operation(engine, request);
  if (!found.ok()) return found.status();
  const OperationExecution& execution = **found;
  if (execution.cancel_request_id == request.request_id()) return absl::OkStatus();
  if (!execution.open()) return absl::FailedPreconditionError("operation already completed");
  if (execution.cancel_requested()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cancellation already requested with request ID ", execution.cancel_request_id));
  }
  OperationChange change(engine, execution);
  change.request_cancel(request.reason(), request.identity(), request.request_id());
  change.commit();
  return absl::OkStatus();
}

absl::Status terminate(Engine& engine, wf::TerminateNexusOperationExecutionRequest& request,
                       wf::TerminateNexusOperationExecutionResponse&) {
  absl::StatusOr<const OperationExecution*> found = find_operation(engine, request);
  if (!found.ok()) return found.status();
  const OperationExecution& execution = **found;
  if (execution.status == enums::NEXUS_OPERATION_EXECUTION_STATUS_TERMINATED) {
    if (execution.terminate_request_id == request.request_id()) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("already terminated with request ID ", execution.terminate_request_id));
  }
  // What was cancelled can be terminated all the same (genuine server 1.32).
  if (!execution.open() && execution.status != enums::NEXUS_OPERATION_EXECUTION_STATUS_CANCELED) {
    return absl::FailedPreconditionError(
        absl::StrCat("invalid transition from ", execution.state()));
  }
  OperationChange change(engine, execution);
  change.terminate(request.reason(), request.identity(), request.request_id());
  change.commit();
  return absl::OkStatus();
}

absl::Status delete_execution(Engine& engine, wf::DeleteNexusOperationExecutionRequest& request,
                              wf::DeleteNexusOperationExecutionResponse&) {
  absl::StatusOr<const OperationExecution*> found = find_operation(engine, request);
  if (!found.ok()) return found.status();
  engine.operation_executions->end_and_erase(**found);
  return absl::OkStatus();
}

}  // namespace

void register_nexus_operations(MethodTable& table) {
  table.add("StartNexusOperationExecution", start);
  table.add("DescribeNexusOperationExecution", describe_call);
  table.add("PollNexusOperationExecution", poll);
  table.add("RequestCancelNexusOperationExecution", request_cancel);
  table.add("TerminateNexusOperationExecution", terminate);
  table.add("DeleteNexusOperationExecution", delete_execution);
}

}  // namespace chimera::server
