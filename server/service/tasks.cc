// What workers call about workflow tasks and themselves.
#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/rules/failures.h"
#include "server/engine/rules/limits.h"
#include "server/engine/turn/workflow_task.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/service/task_lookup.h"

namespace chimera::server {
namespace {

constexpr Nanos kShortestPoll = seconds{2};

template <class Request, class Response>
absl::Status poll(Engine& engine, TypedCall<Request, Response> call, enums::TaskQueueType type,
                  double rate_limit) {
  const Request& request = call.request();
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if (request.task_queue().name().empty()) return invalid("taskQueue is not set");
  if (call.raw()->timeout <= Nanos{0}) return invalid("Context timeout is not set.");
  if (call.raw()->timeout < kShortestPoll)
    return absl::FailedPreconditionError("Context timeout is too short.");
  Poller poller;
  poller.call = call.raw();
  poller.identity = request.identity();
  poller.worker_instance_key = request.worker_instance_key();
  engine.matching().poll({(*ns)->id, request.task_queue().name(), type}, std::move(poller),
                         rate_limit);
  return absl::OkStatus();
}

absl::Status poll_workflow(
    Engine& engine,
    TypedCall<wf::PollWorkflowTaskQueueRequest, wf::PollWorkflowTaskQueueResponse> call) {
  return poll(engine, call, enums::TASK_QUEUE_TYPE_WORKFLOW, 0);
}

absl::Status poll_activity(
    Engine& engine,
    TypedCall<wf::PollActivityTaskQueueRequest, wf::PollActivityTaskQueueResponse> call) {
  return poll(engine, call, enums::TASK_QUEUE_TYPE_ACTIVITY,
              call.request().task_queue_metadata().max_tasks_per_second().value());
}

absl::Status poll_nexus(
    Engine& engine, TypedCall<wf::PollNexusTaskQueueRequest, wf::PollNexusTaskQueueResponse> call) {
  return poll(engine, call, enums::TASK_QUEUE_TYPE_NEXUS,
              0);  // Never gets a task; must not fail either.
}

// The run whose started task the request answers.
absl::StatusOr<const Run*> answered(Engine& engine, const auto& request) {
  if (absl::Status s = check_token(engine, request.namespace_(), request.task_token()); !s.ok())
    return s;
  return find_started_task(engine, request.task_token());
}

absl::Status complete(Engine& engine, wf::RespondWorkflowTaskCompletedRequest& request,
                      wf::RespondWorkflowTaskCompletedResponse& response) {
  if (absl::Status s = check_length("Identity", request.identity()); !s.ok()) return s;
  if (request.versioning_behavior() != enums::VERSIONING_BEHAVIOR_UNSPECIFIED &&
      request.deployment_options().worker_versioning_mode() !=
          enums::WORKER_VERSIONING_MODE_VERSIONED) {
    return invalid(
        "versioning behavior cannot be specified without deployment options being set with "
        "versioned mode");
  }
  absl::StatusOr<const Run*> run = answered(engine, request);
  return run.ok() ? complete_task(engine, **run, request, response) : run.status();
}

absl::Status fail(Engine& engine, wf::RespondWorkflowTaskFailedRequest& request,
                  wf::RespondWorkflowTaskFailedResponse&) {
  if (absl::Status s = check_length("Identity", request.identity()); !s.ok()) return s;
  absl::StatusOr<const Run*> run = answered(engine, request);
  if (!run.ok()) return run.status();
  cut_failure(*request.mutable_failure());
  give_up_task(engine, **run, request.cause(), std::move(*request.mutable_failure()),
               request.identity());
  return absl::OkStatus();
}

absl::Status shut_down(Engine& engine, wf::ShutdownWorkerRequest& request,
                       wf::ShutdownWorkerResponse&) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  engine.matching().shut_down_worker((*ns)->id, request.worker_instance_key(),
                                     request.sticky_task_queue());
  if (request.has_worker_heartbeat()) {
    engine.workers().record((*ns)->id, std::move(*request.mutable_worker_heartbeat()),
                            engine.now());
  }
  return absl::OkStatus();
}

absl::Status heartbeat(Engine& engine, wf::RecordWorkerHeartbeatRequest& request,
                       wf::RecordWorkerHeartbeatResponse&) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  for (auto& one : *request.mutable_worker_heartbeat()) {
    engine.workers().record((*ns)->id, std::move(one), engine.now());
  }
  engine.workers().expire(engine.now());
  return absl::OkStatus();
}

absl::Status reset_sticky(Engine& engine, wf::ResetStickyTaskQueueRequest& request,
                          wf::ResetStickyTaskQueueResponse&) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  absl::StatusOr<const Run*> run = engine.runs().find_running(**ns, request.execution());
  if (!run.ok()) return run.status();
  Transition t(engine, **run);
  t.run().sticky_queue.clear();
  t.commit_unseen();
  return absl::OkStatus();
}

}  // namespace

void register_tasks(MethodTable& table) {
  table.add("PollWorkflowTaskQueue", poll_workflow);
  table.add("PollActivityTaskQueue", poll_activity);
  table.add("PollNexusTaskQueue", poll_nexus);
  table.add("RespondWorkflowTaskCompleted", complete);
  table.add("RespondWorkflowTaskFailed", fail);
  table.add("ShutdownWorker", shut_down);
  table.add("RecordWorkerHeartbeat", heartbeat);
  table.add("ResetStickyTaskQueue", reset_sticky);
}

}  // namespace chimera::server
