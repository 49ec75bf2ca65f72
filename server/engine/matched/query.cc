#include "server/engine/matched/query.h"

#include "server/base/errors.h"
#include "server/base/tokens.h"
#include "server/engine/deployments/binding.h"
#include "server/engine/deployments/deployments.h"
#include "server/engine/engine.h"
#include "server/engine/matched/task_history.h"
#include "server/engine/rules/failures.h"
#include "server/engine/rules/limits.h"

namespace chimera::server {
namespace {

namespace query = ::temporal::api::query::v1;
constexpr std::size_t kBufferedMax = 100;
constexpr Nanos kPollerMemory = std::chrono::minutes{5};

bool seen_poller(Engine& engine, const QueueKey& key) {
  const TaskQueue* queue = engine.matching().find(key);
  if (queue == nullptr) return false;
  return !queue->pollers.empty() ||
         (queue->last_poll != kUnset &&
          engine.loop().real_now() - queue->last_poll < kPollerMemory);  // As Matching counts.
}

// Of a pinned run whose version nobody serves any more: the genuine server's words (1.32).
absl::Status check_served(Engine& engine, const Run& run, const QueueKey& queue) {
  const RunBinding binding = binding_of(run);
  if (!binding.pinned() || !engine.deployments->is_drained(run.ns->id, binding.version) ||
      seen_poller(engine, queue))
    return absl::OkStatus();
  const std::string& build = binding.version.build_id;
  return absl::FailedPreconditionError(absl::StrCat(
      "You are trying to query a closed Workflow that is PINNED to Worker Deployment Version ",
      build, ", but ", build,
      " is drained and has no pollers to answer the query. Immediately: You can re-deploy Workers "
      "in this Deployment Version to take those queries, or you can workflow update-options to "
      "change your workflow to AUTO_UPGRADE. For the future: In your infrastructure, consider "
      "waiting longer after the last queried timestamp as reported in Describe Deployment before "
      "you sunset Workers. Or mark this workflow as AUTO_UPGRADE."));
}

}  // namespace

void end_query(Engine& engine, const QueryPtr& query, absl::Status status) {
  if (const RunPtr run = query->run.lock()) run->waiting.queries.remove(query);
  engine.direct_queries().erase(query->id);
  // Its timers may be what is firing: let them go later.
  engine.follow_up([keep = query] {});
  engine.finish(query->call, std::move(status));
}

void answer_query(Engine& engine, const QueryPtr& query, enums::QueryResultType type,
                  common::Payloads& result, const std::string& message, failure::Failure& failure) {
  if (query->done()) return;
  cut_causes(failure);
  if (absl::Status s = check_blob(result); !s.ok())
    return end_query(engine, query, query_failed(s.message(), failure));
  if (type == enums::QUERY_RESULT_TYPE_ANSWERED) {
    auto& response = static_cast<wf::QueryWorkflowResponse&>(*query->call->response);
    *response.mutable_query_result() = std::move(result);
    return end_query(engine, query, absl::OkStatus());
  }
  end_query(engine, query, query_failed(message, failure));
}

absl::Status ask(Engine& engine, const Run& run, const QueryPtr& query) {
  query->call->on_cancel = [&engine, weak = std::weak_ptr(query)] {
    if (const QueryPtr live = weak.lock())
      end_query(engine, live, absl::CancelledError("cancelled by the caller"));
  };
  query->deadline = std::make_unique<Timer>([&engine, weak = std::weak_ptr(query)] {
    if (const QueryPtr live = weak.lock())
      end_query(engine, live,
                absl::DeadlineExceededError("query timed out before a worker could process it"));
  });
  if (query->call->timeout > Nanos{0})
    engine.loop().patience().arm(*query->deadline,
                                 add_saturated(engine.loop().real_now(), query->call->timeout));
  if (!run.running() || (run.completed_tasks > 0 && !run.task.pending())) {
    dispatch_query(engine, query);
    return absl::OkStatus();
  }
  if (run.waiting.queries.size() >= kBufferedMax)
    return exhausted("query buffer is full", enums::RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW);
  run.waiting.queries.push_back(query);
  return absl::OkStatus();
}

void dispatch_query(Engine& engine, const QueryPtr& query, bool allow_sticky) {
  const RunPtr run = query->run.lock();
  if (run == nullptr || query->done()) return;
  engine.direct_queries()[query->id] = query;
  MatchTask task;
  task.owner = query;
  task.added = engine.loop().real_now();
  task.prioritize(run->priority());
  const QueueKey sticky{run->ns->id, run->sticky_queue, enums::TASK_QUEUE_TYPE_WORKFLOW};
  if (allow_sticky && !run->sticky_queue.empty() && !leaves_sticky(engine, *run) &&
      engine.matching().has_recent_poller(sticky)) {
    query->sticky_deadline = std::make_unique<Timer>([&engine, weak = std::weak_ptr(query)] {
      const QueryPtr live = weak.lock();
      if (live == nullptr || live->taken) return;
      engine.follow_up([&engine, live] { dispatch_query(engine, live, /*allow_sticky=*/false); });
    });
    engine.loop().patience().arm(*query->sticky_deadline,
                                 add_saturated(engine.loop().real_now(), run->sticky_timeout));
    engine.matching().add(sticky, std::move(task));
    return;
  }
  const QueueKey normal{run->ns->id, run->task_queue, enums::TASK_QUEUE_TYPE_WORKFLOW,
                        workflow_route(engine, *run).version.text()};
  if (absl::Status s = check_served(engine, *run, normal); !s.ok())
    return end_query(engine, query, std::move(s));
  if (!seen_poller(engine, normal)) {
    return end_query(engine, query,
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
  engine.matching().add({of->ns->id, of->task_queue, enums::TASK_QUEUE_TYPE_WORKFLOW,
                         workflow_route(engine, *of).version.text()},
                        std::move(task));
}

std::string Query::version_for(const MatchTask&, const QueueKey& queue) const {
  const RunPtr of = run.lock();
  if (of == nullptr || queue.name != of->task_queue) return queue.version;
  return workflow_route(engine, *of).version.text();
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
    answer_query(engine, query, result.result_type(), *result.mutable_answer(),
                 result.error_message(), *result.mutable_failure());
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
      end_query(
          engine, query,
          not_ready("workflow must handle at least one workflow task before it can be queried"));
    }
  }
}

}  // namespace chimera::server
