#include "server/engine/pending/activity.h"

#include "server/base/errors.h"
#include "server/base/tokens.h"
#include "server/engine/engine.h"
#include "server/engine/rules/retry.h"

namespace chimera::server {
namespace {

absl::Status gone() {
  return not_found(
      "invalid activityID or activity already timed out or invoking workflow is completed");
}

// An activity's Started event is written only now, with its outcome: every activity can be retried.
void write_started(Transition& t, const Activity& activity) {
  HistoryEvent event = t.event(enums::EVENT_TYPE_ACTIVITY_TASK_STARTED);
  set(event.mutable_event_time(), activity.started);
  auto& a = *event.mutable_activity_task_started_event_attributes();
  a.set_scheduled_event_id(activity.scheduled_id);
  a.set_identity(activity.identity);
  a.set_request_id(activity.request_id);
  a.set_attempt(activity.attempt);
  if (activity.last_failure != nullptr) *a.mutable_last_failure() = *activity.last_failure;
  t.external(std::move(event));
}

// The id of the Started event just written; 0 if it was buffered (the flush links it then).
std::int64_t started_id(Transition& t) {
  const HistoryEvent& last = t.run().last_event();
  return last.event_type() == enums::EVENT_TYPE_ACTIVITY_TASK_STARTED && t.run().buffered.empty()
             ? last.event_id()
             : 0;
}

void back_off(Transition& t, Activity& activity, Nanos delay, failure::Failure failure) {
  ++activity.attempt;
  activity.scheduled = activity.paused ? t.engine().now() : add_saturated(t.engine().now(), delay);
  activity.last_attempt_completed = t.engine().now();
  activity.started = kUnset;
  activity.dispatched = false;
  activity.stamp = t.engine().ids().next_stamp();  // Late reports of the old attempt find nothing.
  activity.last_failure = std::make_unique<failure::Failure>(std::move(failure));
  activity.was_reset = false;
  if (activity.forget_heartbeat) activity.heartbeat_details.reset();
  activity.forget_heartbeat = false;
  if (delay <= Nanos{0} && !activity.paused) dispatch_activity(t, activity);
}

WallTime expiry(const Activity& activity) {
  return deadline_after(activity.first_scheduled, activity.schedule_to_close);
}

RetryDecision decide(Transition& t, const Activity& activity, const failure::Failure& failure) {
  RetryDecision decision = decide_retry(activity.attributes().retry_policy(), activity.attempt,
                                        t.engine().now(), expiry(activity), failure);
  if (decision.retry() && activity.cancel_requested_id != 0)
    return {enums::RETRY_STATE_CANCEL_REQUESTED};
  return decision;
}

const char* timeout_name(enums::TimeoutType type) {
  switch (type) {
    case enums::TIMEOUT_TYPE_START_TO_CLOSE:
      return "StartToClose";
    case enums::TIMEOUT_TYPE_SCHEDULE_TO_START:
      return "ScheduleToStart";
    case enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE:
      return "ScheduleToClose";
    default:
      return "Heartbeat";
  }
}

failure::Failure timeout_failure(const Activity& activity, enums::TimeoutType type) {
  failure::Failure failure;
  failure.set_message(absl::StrCat("activity ", timeout_name(type), " timeout"));
  failure.set_source("Server");
  auto& info = *failure.mutable_timeout_failure_info();
  info.set_timeout_type(type);
  if (activity.heartbeat_details != nullptr)
    *info.mutable_last_heartbeat_details() = *activity.heartbeat_details;
  return failure;
}

}  // namespace

absl::StatusOr<ActivityRef> find_activity_by_token(Engine& engine, const std::string& bytes) {
  if (bytes.empty()) return invalid("Task token not set on request.");
  const std::optional<TaskToken> token = TaskToken::decode(bytes);
  if (!token) return invalid("Error deserializing task token.");
  const Run* run = engine.runs().by_id(token->run_id);
  if (run == nullptr || !run->running()) return gone();
  const Activity* activity = run->find_activity(token->scheduled_id);
  if (activity == nullptr || !activity->is_started() || activity->stamp != token->stamp ||
      activity->attempt != token->attempt) {
    return gone();
  }
  return ActivityRef{run, token->scheduled_id};
}

absl::StatusOr<ActivityRef> find_activity_by_id(Engine& engine, const std::string& ns_name,
                                                const std::string& workflow_id,
                                                const std::string& run_id,
                                                const std::string& activity_id) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(ns_name);
  if (!ns.ok()) return ns.status();
  absl::StatusOr<const Run*> run = engine.runs().find(**ns, workflow_id, run_id);
  if (!run.ok()) return run.status();
  if (activity_id.empty()) return invalid("activityID is not set on request.");
  const Activity* activity = (*run)->find_activity(activity_id);
  if (activity == nullptr) {
    return not_found(absl::StrCat("cannot find pending activity with ActivityID ", activity_id,
                                  ", check workflow execution history for more details"));
  }
  if (!activity->is_started()) return gone();
  return ActivityRef{*run, activity->scheduled_id};
}

void dispatch_activity(Transition& t, Activity& activity) {
  Engine& engine = t.engine();
  const Run& run = t.run();
  activity.dispatched = true;
  activity.stamp = engine.ids().next_stamp();
  MatchTask task;
  task.owner = run.activity_tasks.weak();
  task.stamp = activity.stamp;
  task.id = activity.scheduled_id;
  task.added = engine.now();
  const int priority = activity.attributes().priority().priority_key();
  if (priority > 0) task.priority = priority;
  engine.matching().add(
      {run.ns->id, activity.attributes().task_queue().name(), enums::TASK_QUEUE_TYPE_ACTIVITY},
      std::move(task));
}

void start_activity(Transition& t, Activity& activity, const std::string& identity,
                    wf::PollActivityTaskQueueResponse& response) {
  Engine& engine = t.engine();
  const Run& run = t.run();
  activity.dispatched = true;
  if (activity.stamp == 0) activity.stamp = engine.ids().next_stamp();
  activity.started = std::max(engine.now(), activity.scheduled);
  activity.last_heartbeat = kUnset;
  activity.identity = identity;
  activity.request_id = engine.ids().uuid();
  const auto& a = activity.attributes();
  response.set_task_token(TaskToken{run.ns->id, run.workflow_id, run.run_id, activity.scheduled_id,
                                    0, activity.attempt, activity.stamp, ""}
                              .encode());
  response.set_workflow_namespace(run.ns->name());
  response.mutable_workflow_type()->set_name(run.workflow_type);
  response.mutable_workflow_execution()->set_workflow_id(run.workflow_id);
  response.mutable_workflow_execution()->set_run_id(run.run_id);
  *response.mutable_activity_type() = a.activity_type();
  response.set_activity_id(activity.id);
  if (a.has_header()) *response.mutable_header() = a.header();
  if (a.has_input()) *response.mutable_input() = a.input();
  if (activity.heartbeat_details != nullptr)
    *response.mutable_heartbeat_details() = *activity.heartbeat_details;
  set(response.mutable_scheduled_time(), activity.first_scheduled);
  set(response.mutable_current_attempt_scheduled_time(), activity.scheduled);
  set(response.mutable_started_time(), activity.started);
  response.set_attempt(activity.attempt);
  *response.mutable_schedule_to_close_timeout() = a.schedule_to_close_timeout();
  *response.mutable_start_to_close_timeout() = a.start_to_close_timeout();
  *response.mutable_heartbeat_timeout() = a.heartbeat_timeout();
  *response.mutable_retry_policy() = a.retry_policy();
  if (a.has_priority()) *response.mutable_priority() = a.priority();
}

absl::Status complete_activity(Engine& engine, ActivityRef ref, common::Payloads& result,
                               const std::string& identity) {
  Transition t(engine, *ref.run);
  write_started(t, *ref.run->find_activity(ref.scheduled_id));
  HistoryEvent event = t.event(enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
  auto& a = *event.mutable_activity_task_completed_event_attributes();
  if (result.payloads_size() > 0) *a.mutable_result() = std::move(result);
  a.set_scheduled_event_id(ref.scheduled_id);
  a.set_started_event_id(started_id(t));
  a.set_identity(identity);
  t.external(std::move(event));
  t.commit();
  return absl::OkStatus();
}

absl::Status fail_activity(Engine& engine, ActivityRef ref, failure::Failure& failure,
                           const std::string& identity,
                           const common::Payloads* last_heartbeat_details) {
  Transition t(engine, *ref.run);
  Activity& activity = *t.run().find_activity(ref.scheduled_id);
  if (last_heartbeat_details != nullptr) {
    activity.heartbeat_details = std::make_unique<common::Payloads>(*last_heartbeat_details);
  }
  const RetryDecision decision = decide(t, activity, failure);
  if (decision.retry()) {
    back_off(t, activity, decision.delay, std::move(failure));
    t.commit();
    return absl::OkStatus();
  }
  write_started(t, activity);
  HistoryEvent event = t.event(enums::EVENT_TYPE_ACTIVITY_TASK_FAILED);
  auto& a = *event.mutable_activity_task_failed_event_attributes();
  *a.mutable_failure() = std::move(failure);
  a.set_scheduled_event_id(ref.scheduled_id);
  a.set_started_event_id(started_id(t));
  a.set_identity(identity);
  a.set_retry_state(decision.state);
  t.external(std::move(event));
  t.commit();
  return absl::OkStatus();
}

absl::Status cancel_activity(Engine& engine, ActivityRef ref, common::Payloads& details,
                             const std::string& identity) {
  const Activity& activity = *ref.run->find_activity(ref.scheduled_id);
  if (activity.cancel_requested_id == 0) {
    return invalid(
        "unable to mark activity as canceled without activity being request canceled first");
  }
  Transition t(engine, *ref.run);
  const std::int64_t requested = activity.cancel_requested_id;
  write_started(t, activity);
  HistoryEvent event = t.event(enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED);
  auto& a = *event.mutable_activity_task_canceled_event_attributes();
  if (details.payloads_size() > 0) *a.mutable_details() = std::move(details);
  a.set_latest_cancel_requested_event_id(requested);
  a.set_scheduled_event_id(ref.scheduled_id);
  a.set_started_event_id(started_id(t));
  a.set_identity(identity);
  t.external(std::move(event));
  t.commit();
  return absl::OkStatus();
}

absl::StatusOr<HeartbeatReply> heartbeat_activity(Engine& engine, ActivityRef ref,
                                                  common::Payloads& details, bool has_details) {
  Transition t(engine, *ref.run);
  Activity& activity = *t.run().find_activity(ref.scheduled_id);
  activity.last_heartbeat = engine.now();
  activity.heartbeat_details =
      has_details ? std::make_unique<common::Payloads>(std::move(details)) : nullptr;
  t.commit_unseen();
  return HeartbeatReply{activity.cancel_requested_id != 0, activity.paused, activity.was_reset};
}

void time_out_activity(Transition& t, Activity& activity, enums::TimeoutType type) {
  failure::Failure failure = timeout_failure(activity, type);
  RetryDecision decision = decide(t, activity, failure);
  if (decision.retry()) {
    back_off(t, activity, decision.delay, std::move(failure));
    return;
  }
  // A retry that would come after the last allowed instant: the whole activity has timed out.
  if (decision.state == enums::RETRY_STATE_TIMEOUT) {
    failure::Failure whole = timeout_failure(activity, enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
    *whole.mutable_cause() = std::move(failure);
    failure = std::move(whole);
  } else if (type == enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE && activity.last_failure != nullptr) {
    *failure.mutable_cause() = *activity.last_failure;
  }
  if (type == enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE ||
      type == enums::TIMEOUT_TYPE_SCHEDULE_TO_START) {
    decision.state = enums::RETRY_STATE_NON_RETRYABLE_FAILURE;
  }
  const bool was_started = activity.is_started();
  const std::int64_t scheduled_id = activity.scheduled_id;
  if (was_started) write_started(t, activity);
  HistoryEvent event = t.event(enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT);
  auto& a = *event.mutable_activity_task_timed_out_event_attributes();
  *a.mutable_failure() = std::move(failure);
  a.set_scheduled_event_id(scheduled_id);
  if (was_started) a.set_started_event_id(started_id(t));
  a.set_retry_state(decision.state);
  t.external(std::move(event));
}

void request_activity_cancel(Transition& t, Activity& activity, std::int64_t completed_id,
                             const std::string& identity) {
  HistoryEvent requested = t.event(enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED);
  auto& r = *requested.mutable_activity_task_cancel_requested_event_attributes();
  r.set_scheduled_event_id(activity.scheduled_id);
  r.set_workflow_task_completed_event_id(completed_id);
  const std::int64_t requested_id = t.write(std::move(requested)).event_id();
  if (activity.is_started()) return;
  HistoryEvent canceled = t.event(enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED);
  auto& a = *canceled.mutable_activity_task_canceled_event_attributes();
  common::Payload& details = *a.mutable_details()->add_payloads();
  (*details.mutable_metadata())["encoding"] = "json/plain";
  details.set_data("\"ACTIVITY_ID_NOT_STARTED\"");
  a.set_latest_cancel_requested_event_id(requested_id);
  a.set_scheduled_event_id(activity.scheduled_id);
  a.set_identity(identity);
  t.after_commands(std::move(canceled));
}

}  // namespace chimera::server
