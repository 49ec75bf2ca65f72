#include "server/engine/turn/pausing.h"

#include "server/engine/engine.h"
#include "server/engine/run/transition.h"

namespace chimera::server {
namespace {

// A task that no worker has would wait for ever: the one that comes with the end of the pause takes
// its place.
void give_up_waiting_task(Transition& t) {
  Run& run = t.run();
  if (!run.task.pending() || run.task.is_started()) return;
  if (run.task.written()) {
    HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED);
    auto& a = *event.mutable_workflow_task_failed_event_attributes();
    a.set_scheduled_event_id(run.task.scheduled_id);
    a.set_cause(enums::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED);
    a.set_identity("history-service");
    t.write(std::move(event));
  }
  run.task = WorkflowTask{};
}

}  // namespace

void pause_run(Engine& engine, const Run& run, const PauseWish& wish) {
  Transition t(engine, run);
  give_up_waiting_task(t);
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED);
  auto& a = *event.mutable_workflow_execution_paused_event_attributes();
  a.set_identity(wish.identity);
  a.set_reason(wish.reason);
  a.set_request_id(wish.request_id);
  event.set_worker_may_ignore(true);
  t.aside(std::move(event));
  Activities::dispatch_again(t);  // Which takes them back: the run is paused now.
  t.commit();
}

void unpause_run(Engine& engine, const Run& run, const PauseWish& wish) {
  Transition t(engine, run);
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED);
  auto& a = *event.mutable_workflow_execution_unpaused_event_attributes();
  a.set_identity(wish.identity);
  a.set_reason(wish.reason);
  a.set_request_id(wish.request_id);
  event.set_worker_may_ignore(true);
  t.external(std::move(event));
  Activities::dispatch_again(t);
  t.commit();
}

}  // namespace chimera::server
