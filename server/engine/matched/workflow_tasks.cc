#include "server/engine/matched/workflow_tasks.h"

#include "server/engine/engine.h"
#include "server/engine/turn/workflow_task.h"

namespace chimera::server {

bool WorkflowTasks::is_stale(const MatchTask& task) const {
  const WorkflowTask& pending = run_->task;
  return !run_->running() || !pending.pending() || pending.is_started() ||
         pending.stamp != task.stamp;
}

bool WorkflowTasks::deliver(const MatchTask& task, const QueueKey& queue, Poller& poller) {
  if (is_stale(task)) return false;
  const auto& request = poller.request<wf::PollWorkflowTaskQueueRequest>();
  const bool on_sticky = !run_->sticky_queue.empty() && queue.name == run_->sticky_queue;
  Transition t(*engine_, *run_);
  start_task(t,
             {poller.identity, engine_->ids().uuid(),
              request.worker_version_capabilities().build_id(), on_sticky},
             poller.response<wf::PollWorkflowTaskQueueResponse>());
  t.commit();
  return true;
}

void WorkflowTasks::desert(MatchTask task) {
  if (is_stale(task)) return;
  Transition t(*engine_, *run_);
  dispatch_task(t);
  t.commit_unseen();
}

}  // namespace chimera::server
