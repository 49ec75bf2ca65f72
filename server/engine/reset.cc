// Reset: a new run that repeats a run's history up to a workflow task and goes on from there.
#include "server/engine/reset.h"

#include "server/engine/activity.h"
#include "server/engine/engine.h"
#include "server/engine/query.h"
#include "server/engine/start.h"
#include "server/engine/transition.h"
#include "server/engine/update.h"
#include "server/engine/update_registry.h"
#include "server/service/errors.h"

namespace chimera::server {
namespace {

absl::Status bad_point() {
  return invalid("Workflow task finish ID must be > 1 && <= workflow last event ID.");
}

// Copies the events before `finish_id` into the new run.
void copy_base(Engine& engine, const Run& base, Run& run, std::int64_t finish_id) {
  for (std::int64_t id = 1; id < finish_id; ++id) {
    HistoryEvent& event = *run.events.add_events();
    event = base.events.events(static_cast<int>(id - 1));
    event.set_task_id(engine.next_task_id());
    run.history_size += static_cast<std::int64_t>(event.ByteSizeLong());
    run.apply(event);
    for (std::int64_t first : base.batches) {
      if (first == id) run.batches.push_back(id);
    }
  }
}

void add_missing_started(Transition& t) {
  const Run& run = t.run();
  if (run.task.started_id != 0) return;
  HistoryEvent started = t.event(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
  auto& a = *started.mutable_workflow_task_started_event_attributes();
  a.set_scheduled_event_id(run.task.scheduled_id);
  a.set_identity("history-service");
  a.set_request_id(t.engine().new_uuid());
  t.write(std::move(started));
}

void write_reset(Transition& t, const Run& base, const wf::ResetWorkflowExecutionRequest& request) {
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED);
  auto& a = *event.mutable_workflow_task_failed_event_attributes();
  a.set_scheduled_event_id(t.run().task.scheduled_id);
  a.set_started_event_id(t.run().task.started_id);
  a.set_cause(enums::WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW);
  a.mutable_failure()->set_message(request.reason());
  a.mutable_failure()->set_source("Server");
  a.mutable_failure()->mutable_reset_workflow_failure_info();
  a.set_identity("history-service");
  a.set_base_run_id(base.run_id);
  a.set_new_run_id(t.run().run_id);
  t.write(std::move(event));
}

bool excluded(const wf::ResetWorkflowExecutionRequest& request,
              enums::ResetReapplyExcludeType type) {
  if (request.reset_reapply_type() == enums::RESET_REAPPLY_TYPE_NONE) return true;
  for (int one : request.reset_reapply_exclude_types()) {
    if (one == type) return true;
  }
  return false;
}

// What came from outside after the point happens again: signals, cancel requests, accepted updates.
void reapply(Transition& t, const Run& base, const wf::ResetWorkflowExecutionRequest& request) {
  const std::int64_t first = request.workflow_task_finish_event_id();
  for (std::int64_t id = first; id <= base.events.events_size(); ++id) {
    const HistoryEvent& event = base.events.events(static_cast<int>(id - 1));
    if (event.event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED &&
        !excluded(request, enums::RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL)) {
      HistoryEvent again = t.event(event.event_type());
      *again.mutable_workflow_execution_signaled_event_attributes() =
          event.workflow_execution_signaled_event_attributes();
      t.write(std::move(again));
    }
    if (event.event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED &&
        !excluded(request, enums::RESET_REAPPLY_EXCLUDE_TYPE_UPDATE)) {
      HistoryEvent again = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED);
      auto& a = *again.mutable_workflow_execution_update_admitted_event_attributes();
      const auto& accepted = event.workflow_execution_update_accepted_event_attributes();
      if (!accepted.has_accepted_request()) continue;  // Its Admitted event carried it.
      *a.mutable_request() = accepted.accepted_request();
      a.set_origin(enums::UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY);
      t.write(std::move(again));
    }
  }
}

void resume_activities(Engine& engine, Run& run) {
  for (auto& [id, activity] : run.activities) {
    activity.first_scheduled = activity.scheduled = engine.now();
    dispatch_activity(engine, run, activity);
  }
}

}  // namespace

absl::Status reset_workflow(Engine& engine, wf::ResetWorkflowExecutionRequest& request,
                            wf::ResetWorkflowExecutionResponse& response) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  const auto& execution = request.workflow_execution();
  absl::StatusOr<Run*> found = engine.find_run(**ns, execution.workflow_id(), execution.run_id());
  if (!found.ok()) return found.status();
  const RunPtr base = engine.share(**found);
  Run* current = engine.current_run(**ns, execution.workflow_id());
  if (!request.request_id().empty() && current->start_request_id == request.request_id()) {
    response.set_run_id(current->run_id);
    return absl::OkStatus();
  }
  const std::int64_t finish = request.workflow_task_finish_event_id();
  if (finish <= 1 || finish > base->events.events_size()) return bad_point();
  const auto before = base->events.events(static_cast<int>(finish - 2)).event_type();
  if (before != enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED &&
      before != enums::EVENT_TYPE_WORKFLOW_TASK_STARTED) {
    return invalid(absl::StrCat("unable to find a workflow task that ends at event ", finish));
  }
  const std::string run_id = engine.new_uuid();
  if (current->running()) {
    current->reset_run_id = run_id;
    terminate_run(engine, *current, request.reason(), nullptr, request.identity());
  }
  Run& run = engine.add_run(**ns, execution.workflow_id(), run_id);
  run.start_request_id = request.request_id();
  run.last_reset = engine.now();
  copy_base(engine, *base, run, finish);
  base->reset_run_id = run_id;
  engine.mark_dirty(*base);
  Transition t(engine, run);
  add_missing_started(t);
  write_reset(t, *base, request);
  run.task.attempt = 1;
  reapply(t, *base, request);
  admit_from_history(run);
  run.events_since_failure = 0;
  resume_activities(engine, run);
  t.want_task();
  response.set_run_id(run_id);
  return absl::OkStatus();
}

}  // namespace chimera::server
