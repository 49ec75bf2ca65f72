// What workers call about workflow tasks and themselves.
#include "server/base/errors.h"
#include "server/base/tokens.h"
#include "server/engine/deployments/deployments.h"
#include "server/engine/engine.h"
#include "server/engine/rules/failures.h"
#include "server/engine/rules/limits.h"
#include "server/engine/turn/workflow_task.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/service/queue_names.h"
#include "server/service/task_lookup.h"

namespace chimera::server {
namespace {

constexpr Nanos kShortestPoll = seconds{2};

// Of a worker that says of which version it is.
absl::Status check_deployment(const deployment::WorkerDeploymentOptions& options) {
  if (options.worker_versioning_mode() != enums::WORKER_VERSIONING_MODE_VERSIONED)
    return absl::OkStatus();
  if (options.deployment_name().empty() || options.build_id().empty())
    return invalid("Deployment name and build id must be set together.");
  return check_version(version_of(options));
}

absl::Status check_versioning(const auto& request) {
  const auto& capabilities = request.worker_version_capabilities();
  if (capabilities.use_versioning() && capabilities.build_id().empty())
    return invalid("WorkerVersionStamp must be present if UseVersioning is true.");
  if (capabilities.build_id().size() > kBuildIdMax) {
    return invalid("Build ID exceeds configured limit.workerBuildIdSize, use a shorter build ID.");
  }
  if (capabilities.use_versioning() && version_of(request.deployment_options()).unversioned()) {
    return absl::UnimplementedError(
        "Worker versioning by build ids alone (use_versioning), which is deprecated, is not "
        "available in this embedded server. Give the worker deployment options instead: a "
        "deployment name, a build id, and the mode VERSIONED.");
  }
  const bool sticky = request.task_queue().kind() == enums::TASK_QUEUE_KIND_STICKY;
  if (sticky && request.task_queue().normal_name().empty() && request.has_deployment_options()) {
    return invalid(
        "NormalName must be set on sticky queue when UseVersioning is true or DeploymentOptions "
        "are set.");
  }
  return check_deployment(request.deployment_options());
}

absl::Status check_poll(const auto& request, Nanos timeout) {
  if (timeout <= Nanos{0}) return invalid("Context timeout is not set.");
  if (timeout < kShortestPoll)
    return absl::FailedPreconditionError("Context timeout is too short.");
  if (absl::Status s = check_length("Identity", request.identity()); !s.ok()) return s;
  if (absl::Status s = check_versioning(request); !s.ok()) return s;
  return check_queue(request);
}

template <class Request, class Response>
absl::Status poll(Engine& engine, TypedCall<Request, Response> call, enums::TaskQueueType type) {
  Request& request = call.request();
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if (absl::Status s = check_poll(request, call.raw()->timeout); !s.ok()) return s;
  Poller poller;
  poller.call = call.raw();
  poller.identity = request.identity();
  poller.worker_instance_key = request.worker_instance_key();
  if (request.has_worker_version_capabilities())
    poller.capabilities = &request.worker_version_capabilities();
  if (request.has_deployment_options()) poller.deployment = &request.deployment_options();
  if constexpr (requires { request.task_queue_metadata(); }) {
    const auto& metadata = request.task_queue_metadata();
    if (metadata.has_max_tasks_per_second())
      poller.max_tasks_per_second = metadata.max_tasks_per_second().value();
  }
  if constexpr (requires { request.mutable_worker_heartbeat(); }) {
    for (auto& heartbeat : *request.mutable_worker_heartbeat())
      engine.workers().record((*ns)->id, std::move(heartbeat), engine.loop().real_now());
  }
  QueueKey queue{(*ns)->id, request.task_queue().name(), type};
  const DeploymentVersion version = version_of(request.deployment_options());
  if (!version.unversioned() && request.task_queue().kind() != enums::TASK_QUEUE_KIND_STICKY) {
    if (absl::Status s = engine.deployments->polled(**ns, version, queue.name, type); !s.ok())
      return s;
    queue.version = version.text();
  }
  engine.matching().poll(queue, std::move(poller));
  return absl::OkStatus();
}

absl::Status poll_workflow(
    Engine& engine,
    TypedCall<wf::PollWorkflowTaskQueueRequest, wf::PollWorkflowTaskQueueResponse> call) {
  return poll(engine, call, enums::TASK_QUEUE_TYPE_WORKFLOW);
}

absl::Status poll_activity(
    Engine& engine,
    TypedCall<wf::PollActivityTaskQueueRequest, wf::PollActivityTaskQueueResponse> call) {
  return poll(engine, call, enums::TASK_QUEUE_TYPE_ACTIVITY);
}

absl::Status poll_nexus(
    Engine& engine, TypedCall<wf::PollNexusTaskQueueRequest, wf::PollNexusTaskQueueResponse> call) {
  return poll(engine, call, enums::TASK_QUEUE_TYPE_NEXUS);
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
  if (!run.ok()) return run.status();
  if ((*run)->paused() && request.force_create_new_workflow_task()) {
    return absl::FailedPreconditionError(
        "Workflow is paused and force create new workflow task is not allowed.");
  }
  return complete_task(engine, **run, request, response);
}

bool is_of_closed_run(Engine& engine, const std::string& token_bytes) {
  const std::optional<TaskToken> token = TaskToken::decode(token_bytes);
  const Run* run = token ? engine.runs().by_id(token->run_id) : nullptr;
  return run != nullptr && !run->running();
}

absl::Status fail(Engine& engine, wf::RespondWorkflowTaskFailedRequest& request,
                  wf::RespondWorkflowTaskFailedResponse&) {
  if (absl::Status s = check_length("Identity", request.identity()); !s.ok()) return s;
  absl::StatusOr<const Run*> run = answered(engine, request);
  if (!run.ok())
    return is_of_closed_run(engine, request.task_token())
               ? not_found("workflow execution already completed")
               : run.status();
  cut_failure(*request.mutable_failure());
  give_up_task(engine, **run, request);
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
                            engine.loop().real_now());
  }
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
  table.add("ResetStickyTaskQueue", reset_sticky);
}

}  // namespace chimera::server
