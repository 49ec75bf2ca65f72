#include "server/engine/matched/workflow_tasks.h"

#include "server/engine/deployments/binding.h"
#include "server/engine/engine.h"
#include "server/engine/turn/workflow_task.h"

namespace chimera::server {

namespace {

// A versioned worker's tasks have no stamp of the older versioning.
std::string stamp_of(const wf::PollWorkflowTaskQueueRequest& request) {
  return version_of(request.deployment_options()).unversioned()
             ? request.worker_version_capabilities().build_id()
             : std::string();
}

}  // namespace

bool WorkflowTasks::is_stale(const MatchTask& task) const {
  const WorkflowTask& pending = run_->task;
  return !run_->running() || !pending.pending() || pending.is_started() ||
         pending.stamp != task.stamp;
}

bool WorkflowTasks::deliver(const MatchTask& task, const QueueKey& queue, Poller& poller) {
  if (is_stale(task)) return false;
  const auto& request = poller.request<wf::PollWorkflowTaskQueueRequest>();
  const bool on_sticky = !run_->sticky_queue.empty() && queue.name == run_->sticky_queue;
  const DeploymentVersion version = version_of(poller);
  const RunBinding binding = binding_of(*run_);
  Transition t(*engine_, *run_);
  if (binding.pinned() && binding.version != version) {  // It was pinned since the task was sent.
    t.run().sticky_queue.clear();
    dispatch_task(t);
    t.commit_unseen();
    return false;
  }
  start_task(t,
             {poller.identity, engine_->ids().uuid(), stamp_of(request), on_sticky, /*polled=*/true,
              version},
             poller.response<wf::PollWorkflowTaskQueueResponse>());
  t.commit();
  return true;
}

std::string WorkflowTasks::version_for(const MatchTask&, const QueueKey& queue) const {
  if (queue.name != run_->task_queue) return queue.version;  // A sticky queue has one worker.
  return workflow_route(*engine_, *run_).version.text();
}

void WorkflowTasks::desert(MatchTask task) {
  if (is_stale(task)) return;
  Transition t(*engine_, *run_);
  dispatch_task(t);
  t.commit_unseen();
}

}  // namespace chimera::server
