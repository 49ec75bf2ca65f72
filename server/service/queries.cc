// QueryWorkflow, and the answers of workers.
#include "server/base/errors.h"
#include "server/base/tokens.h"
#include "server/engine/engine.h"
#include "server/engine/matched/query.h"
#include "server/engine/rules/limits.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/service/task_lookup.h"

namespace chimera::server {
namespace {

constexpr int kFailingAttempt = 3;

bool rejected(const Run& run, enums::QueryRejectCondition condition) {
  if (run.running()) return false;
  if (condition == enums::QUERY_REJECT_CONDITION_NOT_OPEN) return true;
  return condition == enums::QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY &&
         run.status != enums::WORKFLOW_EXECUTION_STATUS_COMPLETED;
}

absl::Status query_workflow(Engine& engine,
                            TypedCall<wf::QueryWorkflowRequest, wf::QueryWorkflowResponse> call) {
  auto& request = call.request();
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if (!request.has_query()) return invalid("WorkflowQuery is not set on request.");
  if (request.query().query_type().empty()) return invalid("QueryType is not set on request.");
  if (absl::Status s = check_blob(request.query().query_args()); !s.ok()) return s;
  absl::StatusOr<const Run*> found =
      engine.runs().find(**ns, request.execution().workflow_id(), request.execution().run_id());
  if (!found.ok()) return found.status();
  const Run& run = **found;
  if (run.paused() || rejected(run, request.query_reject_condition())) {
    call.response().mutable_query_rejected()->set_status(run.status);
    engine.finish(call.raw(), absl::OkStatus());
    return absl::OkStatus();
  }
  if (!run.running() && run.completed_tasks == 0) {
    return not_ready("Workflow execution closed before WorkflowTaskStarted event");
  }
  if (run.running() && run.task.attempt >= kFailingAttempt) {
    return not_ready("Unable to query workflow due to Workflow Task in failed state.");
  }
  // A caller without a deadline, the official Web UI for instance, would wait for it, too.
  const Nanos patience = call.raw()->timeout;
  if (run.backoff_until != kUnset &&
      (patience <= Nanos{0} ||
       run.backoff_until > add_saturated(run.clock(engine.now()), patience))) {
    return not_ready("Workflow task is not scheduled yet.");
  }
  auto query = std::make_shared<Query>(engine);
  query->id = engine.ids().uuid();
  query->run = share(run);
  query->call = call.raw();
  query->query = std::move(*request.mutable_query());
  return ask(engine, run, query);
}

absl::Status answer(Engine& engine, wf::RespondQueryTaskCompletedRequest& request,
                    wf::RespondQueryTaskCompletedResponse&) {
  if (absl::Status s = check_token(engine, request.namespace_(), request.task_token()); !s.ok())
    return s;
  const std::optional<TaskToken> token = TaskToken::decode(request.task_token());
  if (!token) return invalid("Error deserializing task token.");
  auto it = engine.direct_queries().find(token->query_id);
  if (it == engine.direct_queries().end())
    return not_found("query task not found, or already expired");
  const QueryPtr query = it->second;
  answer_query(engine, query, request.completed_type(), *request.mutable_query_result(),
               request.error_message(), *request.mutable_failure());
  return absl::OkStatus();
}

}  // namespace

void register_queries(MethodTable& table) {
  table.add("QueryWorkflow", query_workflow);
  table.add("RespondQueryTaskCompleted", answer);
}

}  // namespace chimera::server
