#include "server/engine/matched/query.h"

#include "server/base/errors.h"
#include "server/base/tokens.h"
#include "server/engine/engine.h"
#include "server/engine/matched/task_history.h"
#include "server/engine/matched/task_lookup.h"
#include "server/engine/rules/limits.h"

namespace chimera::server {
namespace {

namespace query = ::temporal::api::query::v1;
constexpr std::size_t kBufferedMax = 100;
constexpr int kFailingAttempt = 3;
constexpr Nanos kPollerMemory = std::chrono::minutes{5};

bool rejected(const Run& run, enums::QueryRejectCondition condition) {
  if (run.running()) return false;
  if (condition == enums::QUERY_REJECT_CONDITION_NOT_OPEN) return true;
  return condition == enums::QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY &&
         run.status != enums::WORKFLOW_EXECUTION_STATUS_COMPLETED;
}

bool seen_poller(Engine& engine, const QueueKey& key) {
  const TaskQueue* queue = engine.matching().find(key);
  if (queue == nullptr) return false;
  return !queue->pollers.empty() ||
         (queue->last_poll != kUnset && engine.now() - queue->last_poll < kPollerMemory);
}

void end(Engine& engine, const QueryPtr& query, absl::Status status) {
  if (const RunPtr run = query->run.lock()) run->waiting.queries.remove(query);
  engine.direct_queries().erase(query->id);
  // Its timers may be what is firing: let them go later.
  engine.follow_up([keep = query] {});
  engine.finish(query->call, std::move(status));
}

void answer(Engine& engine, const QueryPtr& query, enums::QueryResultType type,
            common::Payloads& result, const std::string& message, failure::Failure& failure) {
  if (query->done()) return;
  if (absl::Status s = check_blob(result); !s.ok())
    return end(engine, query, query_failed(s.message(), failure));
  if (type == enums::QUERY_RESULT_TYPE_ANSWERED) {
    auto& response = static_cast<wf::QueryWorkflowResponse&>(*query->call->response);
    *response.mutable_query_result() = std::move(result);
    return end(engine, query, absl::OkStatus());
  }
  end(engine, query, query_failed(message, failure));
}

}  // namespace

absl::Status start_query(Engine& engine,
                         TypedCall<wf::QueryWorkflowRequest, wf::QueryWorkflowResponse> call) {
  auto& request = call.request();
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if (!request.has_query()) return invalid("WorkflowQuery is not set on request.");
  if (absl::Status s = check_blob(request.query().query_args()); !s.ok()) return s;
  absl::StatusOr<const Run*> found =
      engine.runs().find(**ns, request.execution().workflow_id(), request.execution().run_id());
  if (!found.ok()) return found.status();
  const Run& run = **found;
  if (rejected(run, request.query_reject_condition())) {
    call.response().mutable_query_rejected()->set_status(run.status);
    engine.finish(call.raw(), absl::OkStatus());
    return absl::OkStatus();
  }
  if (!run.running() && run.completed_tasks == 0) {
    return not_ready("workflow must handle at least one workflow task before it can be queried");
  }
  if (run.running() && run.task.attempt >= kFailingAttempt) {
    return not_ready("Unable to query workflow due to Workflow Task in failed state.");
  }
  if (run.backoff_until != kUnset && call.raw()->timeout > Nanos{0} &&
      run.backoff_until > add_saturated(engine.now(), call.raw()->timeout)) {
    return not_ready("Workflow task is not scheduled yet.");
  }
  auto query = std::make_shared<Query>(engine);
  query->id = engine.ids().uuid();
  query->run = share(run);
  query->call = call.raw();
  query->query = std::move(*request.mutable_query());
  call.raw()->on_cancel = [&engine, weak = std::weak_ptr(query)] {
    if (const QueryPtr live = weak.lock())
      end(engine, live, absl::CancelledError("cancelled by the caller"));
  };
  query->deadline = std::make_unique<Timer>([&engine, weak = std::weak_ptr(query)] {
    if (const QueryPtr live = weak.lock())
      end(engine, live,
          absl::DeadlineExceededError("query timed out before a worker could process it"));
  });
  if (query->call->timeout > Nanos{0})
    engine.timers().arm(*query->deadline, add_saturated(engine.now(), query->call->timeout));
  if (!run.running() || (run.completed_tasks > 0 && !run.task.pending())) {
    dispatch_query(engine, query);
    return absl::OkStatus();
  }
  if (run.waiting.queries.size() >= kBufferedMax) {
    return exhausted("query buffer is full", enums::RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW);
  }
  run.waiting.queries.push_back(std::move(query));
  return absl::OkStatus();
}

void dispatch_query(Engine& engine, const QueryPtr& query, bool allow_sticky) {
  const RunPtr run = query->run.lock();
  if (run == nullptr || query->done()) return;
  engine.direct_queries()[query->id] = query;
  MatchTask task;
  task.owner = query;
  task.added = engine.now();
  const QueueKey sticky{run->ns->id, run->sticky_queue, enums::TASK_QUEUE_TYPE_WORKFLOW};
  if (allow_sticky && !run->sticky_queue.empty() && engine.matching().has_recent_poller(sticky)) {
    query->sticky_deadline = std::make_unique<Timer>([&engine, weak = std::weak_ptr(query)] {
      const QueryPtr live = weak.lock();
      if (live == nullptr || live->taken) return;
      engine.follow_up([&engine, live] { dispatch_query(engine, live, /*allow_sticky=*/false); });
    });
    engine.timers().arm(*query->sticky_deadline, add_saturated(engine.now(), run->sticky_timeout));
    engine.matching().add(sticky, std::move(task));
    return;
  }
  const QueueKey normal{run->ns->id, run->task_queue, enums::TASK_QUEUE_TYPE_WORKFLOW};
  if (!seen_poller(engine, normal)) {
    return end(engine, query,
               absl::FailedPreconditionError(
                   "no poller seen for task queue recently, worker may be down"));
  }
  engine.matching().add(normal, std::move(task));
}

bool Query::is_stale(const MatchTask&) const { return done() || run.expired(); }

bool Query::deliver(const MatchTask&, const QueueKey& queue, Poller& poller) {
  const RunPtr of = run.lock();
  if (of == nullptr || done() || taken) return false;
  taken = true;
  auto& response = poller.response<wf::PollWorkflowTaskQueueResponse>();
  TaskToken token;
  token.namespace_id = of->ns->id;
  token.workflow_id = of->workflow_id;
  token.run_id = of->run_id;
  token.query_id = id;
  response.set_task_token(token.encode());
  response.mutable_workflow_execution()->set_workflow_id(of->workflow_id);
  response.mutable_workflow_execution()->set_run_id(of->run_id);
  response.mutable_workflow_type()->set_name(of->workflow_type);
  response.set_previous_started_event_id(of->last_completed_started_id);
  response.set_attempt(1);
  response.mutable_workflow_execution_task_queue()->set_name(of->task_queue);
  response.mutable_workflow_execution_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  response.mutable_history();
  const bool on_sticky = !of->sticky_queue.empty() && queue.name == of->sticky_queue;
  if (!on_sticky) fill_history(*of, 1, /*with_unwritten=*/false, response);
  *response.mutable_query() = query;
  return true;
}

void Query::desert(MatchTask task) {
  const RunPtr of = run.lock();
  if (of == nullptr) return;
  engine.matching().add({of->ns->id, of->task_queue, enums::TASK_QUEUE_TYPE_WORKFLOW},
                        std::move(task));
}

void attach_queries(Engine& engine, const Run& run, wf::PollWorkflowTaskQueueResponse& response) {
  for (const QueryPtr& query : run.waiting.queries) {
    query->attached = true;
    (*response.mutable_queries())[query->id] = query->query;
  }
}

void finish_attached_queries(
    Engine& engine, const Run& run,
    google::protobuf::Map<std::string, query::WorkflowQueryResult>& results) {
  const std::list<QueryPtr> queries = std::move(run.waiting.queries);
  run.waiting.queries.clear();
  for (const QueryPtr& query : queries) {
    auto it = results.find(query->id);
    if (it == results.end()) {
      query->attached = false;
      run.waiting.queries.push_back(query);
      continue;
    }
    auto& result = it->second;
    answer(engine, query, result.result_type(), *result.mutable_answer(), result.error_message(),
           *result.mutable_failure());
  }
}

void dispatch_waiting_queries(Engine& engine, const Run& run) {
  if (run.task.pending()) return;  // It carries them, with what happened before they were asked.
  const std::list<QueryPtr> queries = std::move(run.waiting.queries);
  run.waiting.queries.clear();
  for (const QueryPtr& query : queries) dispatch_query(engine, query);
}

void release_queries(Engine& engine, const Run& run) {
  for (const QueryPtr& query : run.waiting.queries) query->attached = false;
  if (run.running()) return;  // The next task carries them.
  const std::list<QueryPtr> queries = std::move(run.waiting.queries);
  run.waiting.queries.clear();
  for (const QueryPtr& query : queries) {
    if (run.completed_tasks > 0) {
      dispatch_query(engine, query);
    } else {
      end(engine, query,
          not_ready("workflow must handle at least one workflow task before it can be queried"));
    }
  }
}

absl::Status answer_query(Engine& engine, wf::RespondQueryTaskCompletedRequest& request) {
  if (absl::Status s = check_token(engine, request.namespace_(), request.task_token()); !s.ok())
    return s;
  const std::optional<TaskToken> token = TaskToken::decode(request.task_token());
  if (!token || token->query_id.empty()) return invalid("Error deserializing task token.");
  auto it = engine.direct_queries().find(token->query_id);
  if (it == engine.direct_queries().end())
    return not_found("query task not found, or already expired");
  const QueryPtr query = it->second;
  answer(engine, query, request.completed_type(), *request.mutable_query_result(),
         request.error_message(), *request.mutable_failure());
  return absl::OkStatus();
}

}  // namespace chimera::server
