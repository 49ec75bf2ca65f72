// Reset: a new run that repeats a run's history up to a workflow task and goes on from there.
#include "server/engine/turn/reset.h"

#include "server/engine/engine.h"
#include "server/engine/run/rebuild.h"
#include "server/engine/run/transition.h"
#include "server/engine/turn/options.h"
#include "server/engine/turn/start.h"
#include "server/engine/turn/update_registry.h"
#include "server/engine/turn/workflow_task.h"

namespace chimera::server {
namespace {

// Copies the events before `finish_id` into the new run.
void copy_base(Engine& engine, const Run& base, Run& run, std::int64_t finish_id) {
  Rebuild rebuild(run);
  for (std::int64_t id = 1; id < finish_id; ++id) {
    HistoryEvent event = base.events.events(static_cast<int>(id - 1));
    event.set_task_id(engine.ids().next_task_id());
    rebuild.add(std::move(event));
    for (std::int64_t first : base.batches) {
      if (first == id) run.batches.push_back(id);
    }
  }
  rebuild.begin_again(run.clock(engine.now()));
}

// The point may be before the task's start, or where the next attempt of one that failed left no
// event yet.
void start_missing_task(Transition& t) {
  Run& run = t.run();
  if (!run.task.pending()) {
    run.task.attempt = 1;
    schedule_task(t, /*speculative=*/false);
  }
  if (run.task.started_id != 0) return;
  HistoryEvent started = t.event(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
  auto& a = *started.mutable_workflow_task_started_event_attributes();
  a.set_scheduled_event_id(run.task.scheduled_id);
  a.set_identity("history-service");
  a.set_request_id(t.engine().ids().uuid());
  t.write(std::move(started));
}

void write_reset(Transition& t, const Run& base, const wf::ResetWorkflowExecutionRequest& request) {
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED);
  auto& a = *event.mutable_workflow_task_failed_event_attributes();
  a.set_scheduled_event_id(t.run().task.scheduled_id);
  a.set_started_event_id(t.run().task.started_id);
  a.set_cause(enums::WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW);
  a.mutable_failure()->set_message(request.reason());
  a.mutable_failure()->mutable_reset_workflow_failure_info();
  a.set_identity("history-service");
  a.set_base_run_id(base.run_id);
  a.set_new_run_id(t.run().run_id);
  t.write(std::move(event));
}

bool excluded(const wf::ResetWorkflowExecutionRequest& request,
              enums::ResetReapplyExcludeType type) {
  if (request.reset_reapply_type() == enums::RESET_REAPPLY_TYPE_NONE) return true;
  if (request.reset_reapply_type() == enums::RESET_REAPPLY_TYPE_SIGNAL &&
      type != enums::RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL)
    return true;
  for (int one : request.reset_reapply_exclude_types()) {
    if (one == type) return true;
  }
  return false;
}

void reapply_signal(Transition& t, const HistoryEvent& event) {
  HistoryEvent again = t.event(event.event_type());
  *again.mutable_workflow_execution_signaled_event_attributes() =
      event.workflow_execution_signaled_event_attributes();
  *again.mutable_links() = event.links();
  t.write(std::move(again));
}

void reapply_update(Transition& t, const ::temporal::api::update::v1::Request& request) {
  HistoryEvent again = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED);
  auto& a = *again.mutable_workflow_execution_update_admitted_event_attributes();
  *a.mutable_request() = request;
  a.set_origin(enums::UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY);
  t.write(std::move(again));
}

// The protocol has them one behind another.
bool is_of_nexus(const HistoryEvent& event) {
  return event.event_type() >= enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED &&
         event.event_type() <= enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED;
}

void reapply_attached(Transition& t, const HistoryEvent& event) {
  HistoryEvent again = t.event(event.event_type());
  *again.mutable_workflow_execution_options_updated_event_attributes() =
      event.workflow_execution_options_updated_event_attributes();
  *again.mutable_links() = event.links();
  again.set_worker_may_ignore(true);
  t.write(std::move(again));
}

// What came from outside from event `first` on happens again: signals, updates and what became of
// `children`. Cancel requests do not, as in the genuine server.
void reapply_run(Transition& t, const Run& base, std::int64_t first,
                 const wf::ResetWorkflowExecutionRequest& request, bool children) {
  const bool signals = !excluded(request, enums::RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL);
  const bool updates = !excluded(request, enums::RESET_REAPPLY_EXCLUDE_TYPE_UPDATE);
  const bool nexus = !excluded(request, enums::RESET_REAPPLY_EXCLUDE_TYPE_NEXUS);
  for (std::int64_t id = first; id <= base.events.events_size(); ++id) {
    const HistoryEvent& event = base.events.events(static_cast<int>(id - 1));
    if (signals && event.has_workflow_execution_signaled_event_attributes()) {
      reapply_signal(t, event);
    } else if (updates && event.has_workflow_execution_update_accepted_event_attributes()) {
      const auto& a = event.workflow_execution_update_accepted_event_attributes();
      if (a.has_accepted_request()) reapply_update(t, a.accepted_request());
    } else if (updates && event.has_workflow_execution_update_admitted_event_attributes()) {
      reapply_update(t, event.workflow_execution_update_admitted_event_attributes().request());
    } else if (event.has_workflow_execution_options_updated_event_attributes()) {
      reapply_attached(t, event);
    } else if (children && (nexus || !is_of_nexus(event))) {
      Pending::carry_over(t, event);
    }
  }
}

// Of the base run after the point, and of the runs that it continued as, whose children are others.
void reapply(Transition& t, const Run& base, const wf::ResetWorkflowExecutionRequest& request) {
  reapply_run(t, base, request.workflow_task_finish_event_id(), request, /*children=*/true);
  const Run* run = &base;
  while (run->status == enums::WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW) {
    run = t.engine().runs().by_id(run->new_run_id);
    if (run == nullptr || run == &t.run()) return;
    reapply_run(t, *run, 1, request, /*children=*/false);
  }
}

// Its children and its parent turn to the run of this id.
void end_for_reset(Engine& engine, const Run& current, const std::string& run_id,
                   const std::string& reason) {
  Transition t(engine, current);
  t.run().reset_run_id = run_id;
  write_terminated(t, reason, nullptr, "history-resetter");
  t.commit();
}

void note_reset(Engine& engine, const Run& base, const std::string& run_id) {
  const bool was_ended_for_it = base.reset_run_id == run_id;
  Transition t(engine, base);
  t.run().reset_run_id = run_id;
  if (!was_ended_for_it) t.count();
  t.commit_unseen();
}

}  // namespace

std::string reset_run(Engine& engine, const Run& reset,
                      const wf::ResetWorkflowExecutionRequest& request) {
  const RunPtr base = share(reset);
  Namespace& ns = *base->ns;
  const Run* current = engine.runs().current(ns, base->workflow_id);
  const std::string run_id = engine.ids().uuid();
  if (current->running()) end_for_reset(engine, *current, run_id, request.reason());
  Run& run = engine.runs().add(ns, base->workflow_id, run_id);
  run.start_request_id = request.request_id();
  copy_base(engine, *base, run, request.workflow_task_finish_event_id());
  note_reset(engine, *base, run_id);
  Transition t(engine, run);
  start_missing_task(t);
  write_reset(t, *base, request);
  run.task.attempt = 1;
  reapply(t, *base, request);
  for (const auto& operation : request.post_reset_operations()) {
    const auto& update = operation.update_workflow_options();
    set_options(t, merged_options(run, update.workflow_execution_options(), update.update_mask()),
                "", fast_forwards(update.workflow_execution_options(), update.update_mask()));
  }
  admit_from_history(run);
  run.events_since_failure = 0;
  Pending::begin_again(t);
  t.want_task();
  t.count();  // The rebuilding; then what comes after it.
  t.commit();
  return run_id;
}

}  // namespace chimera::server
