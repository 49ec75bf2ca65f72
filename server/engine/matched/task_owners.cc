#include "server/engine/matched/task_owners.h"

#include "server/engine/engine.h"
#include "server/engine/pending/activity.h"
#include "server/engine/turn/workflow_task.h"

namespace chimera::server {

std::weak_ptr<TaskOwner> RunTasks::weak() {
  return std::shared_ptr<TaskOwner>(std::const_pointer_cast<Run>(run_->shared_from_this()), this);
}

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
  start_task(t, request.identity(), engine_->ids().uuid(), on_sticky,
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

bool ActivityTasks::is_stale(const MatchTask& task) const {
  const Activity* activity = run_->running() ? run_->find_activity(task.id) : nullptr;
  return activity == nullptr || activity->is_started() || activity->stamp != task.stamp;
}

bool ActivityTasks::deliver(const MatchTask& task, const QueueKey&, Poller& poller) {
  if (is_stale(task)) return false;
  Transition t(*engine_, *run_);
  start_activity(t, *t.run().find_activity(task.id), poller.identity,
                 poller.response<wf::PollActivityTaskQueueResponse>());
  t.commit_unseen();
  return true;
}

void ActivityTasks::desert(MatchTask) {}  // There are no sticky queues of activities.

}  // namespace chimera::server
