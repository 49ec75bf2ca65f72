// The update RPCs.
#include "google/rpc/status.pb.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include "core/base/transport.h"
#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/turn/update_registry.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/service/starts.h"

namespace chimera::server {
namespace {

using UpdateCall =
    TypedCall<wf::UpdateWorkflowExecutionRequest, wf::UpdateWorkflowExecutionResponse>;
using PollCall =
    TypedCall<wf::PollWorkflowExecutionUpdateRequest, wf::PollWorkflowExecutionUpdateResponse>;
using MultiCall = TypedCall<wf::ExecuteMultiOperationRequest, wf::ExecuteMultiOperationResponse>;
constexpr Nanos kLongPoll = seconds{20};

// The caller learns the stage after a long poll's time; if its own time is over before, nothing.
UpdateWait wait_of(const CallPtr& call, UpdateStage stage, UpdateDone done) {
  const bool short_call = call->timeout > Nanos{0} && call->timeout <= kLongPoll;
  return {stage, short_call ? call->timeout : kLongPoll, short_call, std::move(done)};
}

template <class Response>
void fill(Response& response, const Run& run, const std::string& update_id,
          const UpdateAnswer& answer) {
  response.mutable_update_ref()->set_update_id(update_id);
  response.mutable_update_ref()->mutable_workflow_execution()->set_workflow_id(run.workflow_id);
  response.mutable_update_ref()->mutable_workflow_execution()->set_run_id(run.run_id);
  response.set_stage(answer.stage);
  if (answer.outcome != nullptr) *response.mutable_outcome() = *answer.outcome;
}

absl::Status check_update(Engine& engine, wf::UpdateWorkflowExecutionRequest& request,
                          UpdateStage& stage) {
  if (!request.has_request() || !request.request().has_meta())
    return invalid("Update meta is not set on request.");
  if (!request.request().has_input()) return invalid("Update input is not set on request.");
  if (request.request().input().name().empty())
    return invalid("Update name is not set on request.");
  if (request.request().meta().update_id().size() > 1000)
    return invalid("UpdateId length exceeds limit.");
  if (request.request().meta().update_id().empty()) {
    request.mutable_request()->mutable_meta()->set_update_id(engine.ids().uuid());
  }
  stage = request.wait_policy().lifecycle_stage();
  return check_wait_stage(stage);
}

absl::Status update_workflow(Engine& engine, UpdateCall call) {
  auto& request = call.request();
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  UpdateStage stage;
  if (absl::Status s = check_update(engine, request, stage); !s.ok()) return s;
  const auto& execution = request.workflow_execution();
  absl::StatusOr<const Run*> run =
      engine.runs().find(**ns, execution.workflow_id(), execution.run_id());
  if (!run.ok()) return run.status();
  const std::string& first = request.first_execution_run_id();
  if (!first.empty() && (*run)->first_run_id != first)
    return not_found("workflow execution not found");
  const std::string id = request.request().meta().update_id();
  UpdateDone done = [&engine, call, shared = share(**run), id](absl::Status status,
                                                               UpdateAnswer answer) {
    if (call.raw()->finished) return;
    if (status.ok()) fill(call.response(), *shared, id, answer);
    engine.finish(call.raw(), std::move(status));
  };
  return admit_update(engine, **run, std::move(*request.mutable_request()),
                      wait_of(call.raw(), stage, std::move(done)));
}

absl::Status poll(Engine& engine, PollCall call) {
  auto& request = call.request();
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if (!request.has_update_ref()) return invalid("UpdateRef is not set on request.");
  const auto& execution = request.update_ref().workflow_execution();
  if (execution.workflow_id().empty())
    return invalid("Can't load workflow execution.  WorkflowId not set.");
  if (absl::Status s = check_run_id(execution.run_id()); !s.ok()) return s;
  absl::StatusOr<const Run*> run =
      engine.runs().find(**ns, execution.workflow_id(), execution.run_id());
  if (!run.ok()) return run.status();
  const std::string id = request.update_ref().update_id();
  UpdateStage stage = request.wait_policy().lifecycle_stage();  // Unset: just look.
  if (stage == enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_UNSPECIFIED) {
    stage = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED;
  }
  UpdateDone done = [&engine, call, shared = share(**run), id](absl::Status status,
                                                               UpdateAnswer answer) {
    if (call.raw()->finished) return;
    if (status.ok()) fill(call.response(), *shared, id, answer);
    engine.finish(call.raw(), std::move(status));
  };
  return poll_update(engine, **run, id, wait_of(call.raw(), stage, std::move(done)));
}

// --- Update-with-start.

namespace details = ::temporal::api::errordetails::v1;

// What failed is told by the detail alone, as by server 1.29.
details::MultiOperationExecutionFailure::OperationStatus operation_status(
    const absl::Status& cause) {
  details::MultiOperationExecutionFailure::OperationStatus status;
  if (cause.ok()) {
    status.set_code(static_cast<int>(absl::StatusCode::kAborted));
    status.set_message("Operation was aborted.");
    status.add_details()->PackFrom(::temporal::api::failure::v1::MultiOperationExecutionAborted());
    return status;
  }
  status.set_code(static_cast<int>(cause.code()));
  status.set_message(std::string(cause.message()));
  if (auto payload = cause.GetPayload(base::kStatusDetails)) {
    google::rpc::Status rpc;
    if (rpc.ParseFromString(std::string(*payload))) *status.mutable_details() = rpc.details();
  }
  return status;
}

// What is good of the two was aborted.
absl::Status multi_error(const absl::Status& start, const absl::Status& update) {
  details::MultiOperationExecutionFailure detail;
  *detail.add_statuses() = operation_status(start);
  *detail.add_statuses() = operation_status(update);
  return error_with_detail(start.ok() ? update.code() : start.code(),
                           "Update-with-Start could not be executed.", detail);
}
absl::Status start_failed(const absl::Status& cause) {
  return multi_error(cause, absl::OkStatus());
}
absl::Status update_failed(const absl::Status& cause) {
  return multi_error(absl::OkStatus(), cause);
}

struct Multi {
  wf::StartWorkflowExecutionRequest* start = nullptr;
  wf::UpdateWorkflowExecutionRequest* update = nullptr;
};

// As by server 1.32; 1.29 passes it over.
absl::Status check_namespace_of(const auto& operation, const std::string& request_namespace) {
  const std::string& ns = operation.namespace_();
  return ns.empty() || ns == request_namespace
             ? absl::OkStatus()
             : invalid("Operation namespace did not match request's namespace.");
}

absl::Status check_start(Engine& engine, wf::StartWorkflowExecutionRequest& start,
                         const std::string& request_namespace) {
  if (absl::Status s = check_namespace_of(start, request_namespace); !s.ok()) return s;
  if (start.namespace_().empty()) return namespace_not_found("");
  if (absl::Status s = validate_start(engine, start); !s.ok()) return s;
  const auto& options = start.on_conflict_options();
  if (options.attach_request_id() || options.attach_links() ||
      options.attach_completion_callbacks()) {
    return absl::UnimplementedError(
        "on_conflict_options of an update-with-start have no effect: leave them unset.");
  }
  if (!start.cron_schedule().empty()) return invalid("CronSchedule is not allowed.");
  if (start.request_eager_execution()) return invalid("RequestEagerExecution is not supported.");
  if (to_nanos(start.workflow_start_delay()) > Nanos{0})
    return invalid("WorkflowStartDelay is not supported.");
  return absl::OkStatus();
}

absl::Status check_with_start(Engine& engine, wf::UpdateWorkflowExecutionRequest& update,
                              const std::string& request_namespace, UpdateStage& stage) {
  if (absl::Status s = check_namespace_of(update, request_namespace); !s.ok()) return s;
  update.set_namespace_(request_namespace);
  if (absl::Status s = check_request(engine, update); !s.ok()) return s;
  if (absl::Status s = check_update(engine, update, stage); !s.ok()) return s;
  if (!update.first_execution_run_id().empty())
    return invalid("FirstExecutionRunId is not allowed.");
  if (!update.workflow_execution().run_id().empty()) return invalid("RunId is not allowed.");
  return absl::OkStatus();
}

absl::StatusOr<Multi> check_multi(Engine& engine, wf::ExecuteMultiOperationRequest& request,
                                  UpdateStage& stage) {
  if (request.operations_size() != 2 || !request.operations(0).has_start_workflow() ||
      !request.operations(1).has_update_workflow()) {
    return invalid("Operations have to be exactly [Start, Update].");
  }
  Multi multi{request.mutable_operations(0)->mutable_start_workflow(),
              request.mutable_operations(1)->mutable_update_workflow()};
  const absl::Status start = check_start(engine, *multi.start, request.namespace_());
  absl::Status update = check_with_start(engine, *multi.update, request.namespace_(), stage);
  if (start.ok() && update.ok() &&
      multi.start->workflow_id() != multi.update->workflow_execution().workflow_id()) {
    update = invalid("WorkflowId is not consistent with previous operation(s).");
  }
  if (!start.ok() || !update.ok()) return multi_error(start, update);
  return multi;
}

absl::Status execute_multi(Engine& engine, MultiCall call) {
  UpdateStage stage;
  absl::StatusOr<Multi> multi = check_multi(engine, call.request(), stage);
  if (!multi.ok()) return multi.status();
  auto& start = *multi->start;
  Namespace& ns = *engine.namespaces().find(start.namespace_());
  const std::string id = multi->update->request().meta().update_id();
  const Run* run = engine.runs().current(ns, start.workflow_id());
  auto& start_response = *call.response().add_responses()->mutable_start_workflow();
  // An update that its closed run never completed counts for nothing (genuine server 1.29).
  const bool known = run != nullptr &&
                     (run->running() ? is_known_update(*run, id) : is_completed_update(*run, id));
  if (known) {
    start_response.set_run_id(run->run_id);
    start_response.set_first_execution_run_id(run->first_run_id);
    start_response.set_status(run->status);
  } else {
    absl::Status started = start_workflow(engine, start, start_response);
    if (!started.ok()) return start_failed(started);
    run = engine.runs().by_id(start_response.run_id());
  }
  UpdateDone done = [&engine, call, shared = share(*run), id](absl::Status status,
                                                              UpdateAnswer answer) {
    if (call.raw()->finished) return;
    if (status.ok()) {
      fill(*call.response().add_responses()->mutable_update_workflow(), *shared, id, answer);
    } else {
      status = update_failed(status);
    }
    engine.finish(call.raw(), std::move(status));
  };
  absl::Status status = admit_update(engine, *run, std::move(*multi->update->mutable_request()),
                                     wait_of(call.raw(), stage, std::move(done)));
  return status.ok() ? status : update_failed(status);
}

}  // namespace

void register_updates(MethodTable& table) {
  table.add("UpdateWorkflowExecution", update_workflow);
  table.add("PollWorkflowExecutionUpdate", poll);
  table.add("ExecuteMultiOperation", execute_multi);
}

}  // namespace chimera::server
