#include "server/engine/turn/workflow_task.h"

#include <algorithm>

#include "server/base/errors.h"
#include "server/base/tokens.h"
#include "server/engine/deployments/binding.h"
#include "server/engine/engine.h"
#include "server/engine/matched/query.h"
#include "server/engine/matched/task_history.h"
#include "server/engine/turn/commands.h"
#include "server/engine/turn/update_registry.h"

namespace chimera::server {
namespace {

using Kind = WorkflowTask::Kind;
constexpr Nanos kSpeculativeScheduleToStart = seconds{5};

// From the fourth attempt on a task gets 5 s x 2^(n-4) more, up to ten minutes.
Nanos task_timeout(const Run& run, int attempt) {
  if (attempt <= 3) return run.task_timeout;
  const Nanos more = seconds{5} * (std::int64_t{1} << std::min(attempt - 4, 10));
  return std::min<Nanos>(run.task_timeout + more, std::chrono::minutes{10});
}

void set_queue(const Run& run, taskqueue::TaskQueue& queue, const WorkflowTask& task) {
  queue.set_name(task.queue);
  queue.set_kind(task.sticky ? enums::TASK_QUEUE_KIND_STICKY : enums::TASK_QUEUE_KIND_NORMAL);
  if (task.sticky) queue.set_normal_name(run.task_queue);
}

void fill_scheduled(const Run& run, const WorkflowTask& task, HistoryEvent& event) {
  auto& a = *event.mutable_workflow_task_scheduled_event_attributes();
  set_queue(run, *a.mutable_task_queue(), task);
  set(a.mutable_start_to_close_timeout(), task.timeout);
  a.set_attempt(task.attempt);
}

// In the order of the genuine server (1.32).
constexpr enums::SuggestContinueAsNewReason kSuggestReasons[] = {
    enums::SUGGEST_CONTINUE_AS_NEW_REASON_HISTORY_SIZE_TOO_LARGE,
    enums::SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_HISTORY_EVENTS,
    enums::SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_UPDATES};

unsigned suggest_reasons(const DynamicConfig& config, const Run& run) {
  const bool holds[] = {run.history_size >= config.suggest_bytes,
                        run.next_event_id() >= config.suggest_events,
                        suggests_fewer_updates(config, run)};
  unsigned reasons = 0;
  for (std::size_t i = 0; i < std::size(holds); ++i)
    if (holds[i]) reasons |= 1U << kSuggestReasons[i];
  return reasons;
}

void fill_started(const Run& run, const WorkflowTask& task, HistoryEvent& event) {
  auto& a = *event.mutable_workflow_task_started_event_attributes();
  a.set_scheduled_event_id(task.scheduled_id);
  a.set_identity(task.identity);
  a.set_request_id(task.request_id);
  a.set_suggest_continue_as_new(task.suggest_reasons != 0);
  for (const auto reason : kSuggestReasons) {
    if ((task.suggest_reasons & 1U << reason) != 0) a.add_suggest_continue_as_new_reasons(reason);
  }
  a.set_history_size_bytes(task.history_size);
  a.set_target_worker_deployment_version_changed(run.versioning != nullptr &&
                                                 run.versioning->target_changed());
}

// Of a run with a version: whether its queue has a newer one for it.
void note_target(Transition& t, const TaskStart& by) {
  Run& run = t.run();
  if (run.versioning == nullptr) return;
  const VersionTarget target = by.polled ? workflow_target(t.engine(), run) : VersionTarget();
  run.versioning->note_target(
      target, by.polled ? std::optional<std::int64_t>(target.revision) : std::nullopt);
}

// What a speculative task does to its run is not kept.
void follow_version(Transition& t, const TaskStart& by) {
  const Run& run = t.run();
  if (!by.polled || run.task.kind == Kind::kSpeculative) return;
  if (by.version == binding_of(run).version) return;
  begin_transition(t, {by.version, workflow_route(t.engine(), run).revision});
}

}  // namespace

void schedule_task(Transition& t, bool speculative, WallTime original_scheduled) {
  Run& run = t.run();
  WorkflowTask task;
  task.attempt = run.task.attempt;
  if (task.attempt > 1 && run.events_since_failure > 0) task.attempt = 1;
  task.kind = task.attempt > 1 ? Kind::kTransient
              : speculative    ? Kind::kSpeculative
                               : Kind::kNormal;
  task.scheduled = t.now();
  task.original_scheduled = original_scheduled == kUnset ? task.scheduled : original_scheduled;
  task.timeout = task_timeout(run, task.attempt);
  task.sticky = !run.sticky_queue.empty();
  task.queue = task.sticky ? run.sticky_queue : run.task_queue;
  if (task.sticky) task.schedule_to_start = run.sticky_timeout;
  if (speculative) task.schedule_to_start = kSpeculativeScheduleToStart;
  if (task.kind != Kind::kNormal) {
    task.scheduled_id = run.next_event_id();
    run.task = std::move(task);
    return;
  }
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
  fill_scheduled(run, task, event);
  task.scheduled_id = t.write(std::move(event)).event_id();
  run.task = std::move(task);
}

void dispatch_task(Transition& t) {
  Engine& engine = t.engine();
  Run& run = t.run();
  WorkflowTask& task = run.task;
  task.stamp = engine.ids().next_stamp();
  QueueKey key{run.ns->id, task.queue, enums::TASK_QUEUE_TYPE_WORKFLOW};
  if (task.sticky && (leaves_sticky(engine, run) || !engine.matching().has_recent_poller(key))) {
    key.name = run.task_queue;  // Its worker is gone; stickiness ends when the task starts there.
    if (task.kind != Kind::kSpeculative) task.schedule_to_start = Nanos{0};
  }
  if (key.name == run.task_queue) key.version = workflow_route(engine, run).version.text();
  MatchTask match;
  match.owner = part_of(run, run.workflow_tasks);
  match.stamp = task.stamp;
  match.added = engine.loop().real_now();
  match.prioritize(run.priority());
  engine.matching().add(key, std::move(match));
}

void materialize_task(Transition& t, const std::string& identity,
                      const common::WorkerVersionStamp* completed_by) {
  Run& run = t.run();
  if (!run.task.pending() || run.task.written()) return;
  WorkflowTask task = run.task;
  task.identity = identity;
  run.task.kind = Kind::kNormal;
  HistoryEvent scheduled = t.event(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
  set(scheduled.mutable_event_time(), task.scheduled);
  fill_scheduled(run, task, scheduled);
  task.scheduled_id = t.write(std::move(scheduled)).event_id();
  if (task.started_id != 0) {
    HistoryEvent started = t.event(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
    set(started.mutable_event_time(), task.started);
    fill_started(run, task, started);
    if (completed_by != nullptr) {
      *started.mutable_workflow_task_started_event_attributes()->mutable_worker_version() =
          *completed_by;
    }
    task.started_id = t.write(std::move(started)).event_id();
    t.end_batch();
  }
  task.kind = Kind::kNormal;
  run.task = std::move(task);
}

// Events came while the retry waited: it is a normal first attempt, whose event is written at its
// start (genuine servers 1.29, 1.32).
void renew_task(Transition& t) {
  Run& run = t.run();
  WorkflowTask task = run.task;
  task.kind = Kind::kNormal;
  task.attempt = 1;
  task.timeout = task_timeout(run, 1);
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
  fill_scheduled(run, task, event);
  task.scheduled_id = t.write(std::move(event)).event_id();
  run.task = std::move(task);
}

void append_unwritten_events(const Run& run, history::History& history) {
  const WorkflowTask& task = run.task;
  if (!task.is_started() || task.written()) return;
  HistoryEvent& scheduled = *history.add_events();
  scheduled.set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
  scheduled.set_event_id(task.scheduled_id);
  set(scheduled.mutable_event_time(), task.scheduled);
  fill_scheduled(run, task, scheduled);
  HistoryEvent& started = *history.add_events();
  started.set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
  started.set_event_id(task.started_id);
  set(started.mutable_event_time(), task.started);
  fill_started(run, task, started);
}

void start_task(Transition& t, TaskStart by, wf::PollWorkflowTaskQueueResponse& response) {
  Run& run = t.run();
  if (!by.on_sticky) {
    run.sticky_queue.clear();  // Whoever has it now has to replay.
  }
  WorkflowTask& task = run.task;
  if (task.kind != Kind::kNormal) task.scheduled_id = run.next_event_id();
  task.identity = std::move(by.identity);
  task.request_id = std::move(by.request_id);
  task.history_size = run.history_size;
  task.suggest_reasons = suggest_reasons(t.engine().config(), run);
  task.stamp = t.engine().ids().next_stamp();
  if (task.kind == Kind::kTransient && run.events_since_failure > 0) renew_task(t);
  note_target(t, by);
  if (task.kind == Kind::kNormal) {
    HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
    fill_started(run, task, event);
    if (!by.build_id.empty()) {
      event.mutable_workflow_task_started_event_attributes()
          ->mutable_worker_version()
          ->set_build_id(std::move(by.build_id));
    }
    t.write(std::move(event));
  } else {
    task.started_id = task.scheduled_id + 1;
    task.started = t.now();
  }
  follow_version(t, by);
  response.set_task_token(TaskToken{run.ns->id, run.workflow_id, run.run_id, task.scheduled_id,
                                    task.started_id, task.attempt, task.stamp, ""}
                              .encode());
  response.mutable_workflow_execution()->set_workflow_id(run.workflow_id);
  response.mutable_workflow_execution()->set_run_id(run.run_id);
  response.mutable_workflow_type()->set_name(run.workflow_type);
  response.set_previous_started_event_id(run.last_completed_started_id);
  response.set_started_event_id(task.started_id);
  response.set_attempt(task.attempt);
  response.mutable_workflow_execution_task_queue()->set_name(run.task_queue);
  response.mutable_workflow_execution_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  set(response.mutable_scheduled_time(), task.scheduled);
  set(response.mutable_started_time(), task.started);
  fill_history(run, by.on_sticky ? run.last_completed_started_id + 1 : 1, /*with_unwritten=*/true,
               response);
  send_updates(run, response);
  attach_queries(t.engine(), run, response);
}

void fail_task(Transition& t, enums::WorkflowTaskFailedCause cause, failure::Failure failure,
               const std::string& identity, const std::string& binary_checksum) {
  Run& run = t.run();
  const WorkflowTask task = run.task;
  const bool was_sticky = !run.sticky_queue.empty();
  abort_sent_updates(t);
  if (task.kind == Kind::kSpeculative) materialize_task(t, identity);
  const int attempt = run.task.attempt;
  if (run.task.written()) {
    HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED);
    auto& a = *event.mutable_workflow_task_failed_event_attributes();
    a.set_scheduled_event_id(run.task.scheduled_id);
    a.set_started_event_id(run.task.started_id);
    a.set_cause(cause);
    *a.mutable_failure() = std::move(failure);
    a.set_identity(identity);
    a.set_binary_checksum(binary_checksum);
    t.write(std::move(event));
  }
  run.task = WorkflowTask{};
  run.close_was_refused = false;
  run.events_since_failure = 0;
  run.sticky_queue.clear();
  run.task.attempt = was_sticky ? attempt : attempt + 1;
  ++run.consecutive_failures;
  run.reported_problem_category = "WorkflowTaskFailed";
  run.reported_problem_cause =
      absl::StrCat("WorkflowTaskFailedCause", task_failed_cause_name(cause));
  t.flush_buffered();
  t.want_task();
  release_queries(t.engine(), run);
}

// As the genuine server: a started transient task leaves no event, a speculative one all three.
void end_task_by_force(Transition& t) {
  Run& run = t.run();
  if (run.task.is_started() && run.task.kind == Kind::kSpeculative)
    materialize_task(t, "history-service");
  if (run.task.is_started() && run.task.written()) {
    HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED);
    auto& a = *event.mutable_workflow_task_failed_event_attributes();
    a.set_scheduled_event_id(run.task.scheduled_id);
    a.set_started_event_id(run.task.started_id);
    a.set_cause(enums::WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND);
    a.set_identity("history-service");
    t.write(std::move(event));
  }
  run.task = WorkflowTask{};
  t.flush_buffered();
}

void time_out_task(Transition& t, enums::TimeoutType type) {
  Run& run = t.run();
  const bool was_sticky = !run.sticky_queue.empty();
  resend_sent_updates(run);
  if (run.task.kind == Kind::kSpeculative) materialize_task(t, "");
  const int attempt = run.task.attempt;
  const std::int64_t scheduled_id = run.task.scheduled_id, started_id = run.task.started_id;
  if (run.task.written()) {
    HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT);
    auto& a = *event.mutable_workflow_task_timed_out_event_attributes();
    a.set_scheduled_event_id(scheduled_id);
    a.set_started_event_id(started_id);
    a.set_timeout_type(type);
    t.write(std::move(event));
  }
  run.task = WorkflowTask{};
  run.close_was_refused = false;
  run.events_since_failure = 0;
  run.sticky_queue.clear();
  const bool counts = type == enums::TIMEOUT_TYPE_START_TO_CLOSE && !was_sticky;
  run.task.attempt = counts ? attempt + 1 : attempt;
  if (type == enums::TIMEOUT_TYPE_START_TO_CLOSE) {
    ++run.consecutive_failures;
    run.reported_problem_category = "WorkflowTaskTimedOut";
    run.reported_problem_cause = "WorkflowTaskTimedOutCauseStartToClose";
  }
  t.flush_buffered();
  t.want_task();
  release_queries(t.engine(), run);
}

void give_up_task(Engine& engine, const Run& run, wf::RespondWorkflowTaskFailedRequest& request) {
  const RunPtr keep = share(run);
  Transition t(engine, run);
  resend_sent_updates(run);  // The worker may answer the next attempt (genuine server 1.29).
  fail_task(t, request.cause(), std::move(*request.mutable_failure()), request.identity(),
            request.binary_checksum());
  t.commit();
}

}  // namespace chimera::server
