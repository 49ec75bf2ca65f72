#include "server/engine/standalone/activity_view.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "server/engine/deployments/version.h"
#include "server/engine/standalone/listed.h"

namespace chimera::server {
namespace {

using Info = ::temporal::api::activity::v1::ActivityExecutionInfo;

std::int64_t nanos(WallTime time) { return time.time_since_epoch().count(); }

enums::PendingActivityState run_state(const ActivityExecution& execution) {
  const Activity& activity = execution.activity;
  const bool started = activity.is_started();
  if (!execution.open()) return enums::PENDING_ACTIVITY_STATE_UNSPECIFIED;
  if (execution.cancel_requested()) return enums::PENDING_ACTIVITY_STATE_CANCEL_REQUESTED;
  if (execution.reset ? execution.reset->keep_paused : activity.paused) {
    return started ? enums::PENDING_ACTIVITY_STATE_PAUSE_REQUESTED
                   : enums::PENDING_ACTIVITY_STATE_PAUSED;
  }
  return started ? enums::PENDING_ACTIVITY_STATE_STARTED : enums::PENDING_ACTIVITY_STATE_SCHEDULED;
}

void fill_options(const ActivityExecution& execution, Info& info) {
  const auto& a = execution.activity.attributes();
  *info.mutable_activity_type() = a.activity_type();
  info.set_task_queue(a.task_queue().name());
  *info.mutable_schedule_to_close_timeout() = a.schedule_to_close_timeout();
  *info.mutable_schedule_to_start_timeout() = a.schedule_to_start_timeout();
  *info.mutable_start_to_close_timeout() = a.start_to_close_timeout();
  *info.mutable_heartbeat_timeout() = a.heartbeat_timeout();
  *info.mutable_retry_policy() = a.retry_policy();
  if (a.has_priority()) *info.mutable_priority() = a.priority();
  if (execution.start_delay > Nanos{0}) set(info.mutable_start_delay(), execution.start_delay);
}

void fill_attempts(const ActivityExecution& execution, WallTime now, Info& info) {
  const Activity& activity = execution.activity;
  const auto put = [](WallTime time, google::protobuf::Timestamp* to) { set(to, time); };
  info.set_attempt(activity.attempt);
  if (execution.last_heartbeat != kUnset)
    put(execution.last_heartbeat, info.mutable_last_heartbeat_time());
  info.set_total_heartbeat_count(execution.heartbeats);
  if (execution.last_started != kUnset)
    put(execution.last_started, info.mutable_last_started_time());
  info.set_last_worker_identity(activity.identity);
  if (!activity.last_version.unversioned())
    *info.mutable_last_deployment_version() = message_of(activity.last_version);
  if (activity.last_attempt_completed != kUnset)
    put(activity.last_attempt_completed, info.mutable_last_attempt_complete_time());
  if (run_state(execution) != enums::PENDING_ACTIVITY_STATE_SCHEDULED || activity.scheduled <= now)
    return;
  put(activity.scheduled, info.mutable_next_attempt_schedule_time());
  if (execution.retry_interval > Nanos{0})
    set(info.mutable_current_retry_interval(), execution.retry_interval);
}

enums::WorkflowExecutionStatus listed_status(ActivityExecution::Status status) {
  switch (status) {
    case enums::ACTIVITY_EXECUTION_STATUS_TIMED_OUT:
      return enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT;
    case enums::ACTIVITY_EXECUTION_STATUS_PAUSED:
      return enums::WORKFLOW_EXECUTION_STATUS_PAUSED;
    default:
      return static_cast<enums::WorkflowExecutionStatus>(status);
  }
}

ActivityExecution::Status status_listed(enums::WorkflowExecutionStatus status) {
  switch (status) {
    case enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
      return enums::ACTIVITY_EXECUTION_STATUS_TIMED_OUT;
    case enums::WORKFLOW_EXECUTION_STATUS_PAUSED:
      return enums::ACTIVITY_EXECUTION_STATUS_PAUSED;
    default:
      return static_cast<ActivityExecution::Status>(status);
  }
}

}  // namespace

void describe(const ActivityExecution& execution, WallTime now, Info& info) {
  const Activity& activity = execution.activity;
  info.set_activity_id(execution.id());
  info.set_run_id(execution.run_id);
  info.set_status(execution.visible_status());
  info.set_run_state(run_state(execution));
  fill_options(execution, info);
  fill_attempts(execution, now, info);
  set(info.mutable_schedule_time(), execution.scheduled);
  set(info.mutable_execution_time(), execution.first_dispatch());
  const WallTime expires = deadline_after(execution.first_dispatch(), activity.schedule_to_close);
  if (expires != kNever) set(info.mutable_expiration_time(), expires);
  if (!execution.open()) {
    set(info.mutable_close_time(), execution.closed);
    set(info.mutable_execution_duration(), execution.closed - execution.scheduled);
  }
  info.set_state_transition_count(execution.transitions);
  info.set_state_size_bytes(static_cast<std::int64_t>(execution.attributes.ByteSizeLong()));
  *info.mutable_search_attributes() = execution.search_attributes;
  if (execution.attributes.has_header()) *info.mutable_header() = execution.attributes.header();
  if (execution.user_metadata.ByteSizeLong() > 0)
    *info.mutable_user_metadata() = execution.user_metadata;
  info.set_canceled_reason(execution.cancel_reason);
  for (const common::Link& link : execution.links) *info.add_links() = link;
  if (execution.nexus_context.ByteSizeLong() > 0)
    *info.mutable_propagated_nexus_serialization_context() = execution.nexus_context;
}

std::string shown_key(const ActivityExecution& execution) {
  return absl::StrCat(static_cast<int>(execution.visible_status()), "/",
                      execution.activity.attributes().task_queue().name(), "/",
                      nanos(execution.first_dispatch()));
}

void fill_listed(const ::temporal::api::workflow::v1::WorkflowExecutionInfo& entry,
                 ::temporal::api::activity::v1::ActivityExecutionListInfo& info) {
  info.set_activity_id(entry.execution().workflow_id());
  info.set_run_id(entry.execution().run_id());
  info.mutable_activity_type()->set_name(entry.type().name());
  *info.mutable_schedule_time() = entry.start_time();
  *info.mutable_execution_time() = entry.execution_time();
  info.set_status(status_listed(entry.status()));
  info.set_task_queue(entry.task_queue());
  *info.mutable_search_attributes() = entry.search_attributes();
  if (entry.has_close_time()) *info.mutable_close_time() = entry.close_time();
  if (entry.has_execution_duration())
    *info.mutable_execution_duration() = entry.execution_duration();
  info.set_state_transition_count(entry.state_transition_count());
}

visibility::Entry entry_of(const ActivityExecution& execution) {
  const auto& a = execution.activity.attributes();
  return listed_entry(execution, {.id = execution.id(),
                                  .type = a.activity_type().name(),
                                  .task_queue = a.task_queue().name(),
                                  .division = kActivityDivision,
                                  .status = listed_status(execution.visible_status()),
                                  .open = execution.open(),
                                  .execution_time = execution.first_dispatch(),
                                  .keywords = {}});
}

}  // namespace chimera::server
