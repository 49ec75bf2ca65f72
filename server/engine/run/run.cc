// Run::fold: how each event changes the state. The same fold serves live transitions, loading and
// reset.
#include "server/engine/run/run.h"

#include <algorithm>

#include "server/engine/deployments/run_versioning.h"

namespace chimera::server {
namespace {

void apply_started(Run& run, const HistoryEvent& event) {
  const auto& a = event.workflow_execution_started_event_attributes();
  run.workflow_id = a.workflow_id();
  run.first_run_id = a.first_execution_run_id();
  run.start_time = to_wall(event.event_time());
  run.task_timeout = to_nanos(a.workflow_task_timeout());
  run.task_queue = a.task_queue().name();
  run.workflow_type = a.workflow_type().name();
  const Nanos backoff = to_nanos(a.first_workflow_task_backoff());
  run.execution_time = add_saturated(run.start_time, backoff);
  run.backoff_until = backoff > Nanos{0} ? run.execution_time : kUnset;
  if (a.has_workflow_execution_expiration_time()) {
    run.execution_expires = to_wall(a.workflow_execution_expiration_time());
  }
  run.run_expires = std::min(deadline_after(run.execution_time, to_nanos(a.workflow_run_timeout())),
                             run.execution_expires);
  if (has_own_clock(a)) {
    run.skipped = std::make_unique<SkippedTime>();
    run.skipped->begin(a, run.start_time);
  }
  for (const auto& [key, value] : a.memo().fields()) run.memo[key] = value;
  for (const auto& [key, value] : a.search_attributes().indexed_fields())
    run.search_attributes[key] = value;
  run.user_metadata = event.user_metadata();
  run.reset_points = a.prev_auto_reset_points();
  if (!a.has_versioning_override() && !a.has_inherited_pinned_version() &&
      !a.has_inherited_auto_upgrade_info())
    return;
  run.versioning = std::make_unique<RunVersioning>();
  run.versioning->started(a);
  run.worker_deployment = run.versioning->version().deployment;
}

void set_run_expiry(Run& run) {
  run.run_expires =
      std::min(deadline_after(run.execution_time, to_nanos(run.start().workflow_run_timeout())),
               run.execution_expires);
}

// Where a build first completed a task: a reset by build goes there. Twenty are kept.
void note_reset_point(Run& run, const HistoryEvent& event) {
  constexpr int kPointsMax = 20;
  const auto& a = event.workflow_task_completed_event_attributes();
  auto& points = *run.reset_points.mutable_points();
  const std::string& build_id = a.has_deployment_version() ? a.deployment_version().build_id()
                                                           : a.worker_version().build_id();
  for (const auto& point : points) {
    if (point.binary_checksum() == a.binary_checksum() && point.build_id() == build_id) return;
  }
  auto& added = *points.Add();
  added.set_binary_checksum(a.binary_checksum());
  added.set_build_id(build_id);
  added.set_run_id(run.run_id);
  added.set_first_workflow_task_completed_id(event.event_id());
  *added.mutable_create_time() = event.event_time();
  added.set_resettable(!run.pending().bars_reset());
  if (points.size() > kPointsMax) points.DeleteSubrange(0, points.size() - kPointsMax);
}

void note_worker(Run& run, const history::WorkflowTaskCompletedEventAttributes& a) {
  run.has_worker_stamp = a.has_worker_version();
  run.last_worker_build_id = a.worker_version().build_id();
  run.worker_deployment = a.worker_deployment_name();
  const std::string& build_id = run.last_worker_build_id;
  if (!build_id.empty() &&
      std::find(run.build_ids.begin(), run.build_ids.end(), build_id) == run.build_ids.end())
    run.build_ids.push_back(build_id);
  if (run.versioning == nullptr && !a.has_deployment_version()) return;
  if (run.versioning == nullptr) run.versioning = std::make_unique<RunVersioning>();
  run.versioning->completed(a);
}

void change_override(Run& run, const history::WorkflowExecutionOptionsUpdatedEventAttributes& a) {
  if (!a.has_versioning_override() && !a.unset_versioning_override()) return;
  if (run.versioning == nullptr) {
    if (!a.has_versioning_override()) return;
    run.versioning = std::make_unique<RunVersioning>();
  }
  RunVersioning& versioning = *run.versioning;
  versioning.override_by(a.has_versioning_override() ? &a.versioning_override() : nullptr);
  if (a.has_versioning_override()) {
    const DeploymentVersion target = target_of(*versioning.override());
    if (!target.unversioned()) run.worker_deployment = target.deployment;
  } else if (versioning.info) {
    run.worker_deployment = versioning.info->deployment_version().deployment_name();
  }
}

// A reset run begins with the time of the point to which it goes back.
void take_reset(Run& run, const HistoryEvent& event) {
  const auto& a = event.workflow_task_failed_event_attributes();
  if (run.skipped == nullptr || a.cause() != enums::WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW)
    return;
  const HistoryEvent& point = run.events.events(static_cast<int>(a.scheduled_event_id()) - 1);
  run.skipped->begin_again(to_wall(event.event_time()) - to_wall(point.event_time()));
}

void apply_task_event(Run& run, const HistoryEvent& event) {
  WorkflowTask& task = run.task;
  switch (event.event_type()) {
    case enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: {
      const auto& a = event.workflow_task_scheduled_event_attributes();
      run.backoff_until = kUnset;
      task.kind = WorkflowTask::Kind::kNormal;
      task.scheduled_id = event.event_id();
      task.started_id = 0;
      task.attempt = a.attempt();
      task.scheduled = task.original_scheduled = to_wall(event.event_time());
      task.timeout = to_nanos(a.start_to_close_timeout());
      task.queue = a.task_queue().name();
      task.sticky = a.task_queue().kind() == enums::TASK_QUEUE_KIND_STICKY;
      break;
    }
    case enums::EVENT_TYPE_WORKFLOW_TASK_STARTED:
      task.started_id = event.event_id();
      task.started = to_wall(event.event_time());
      break;
    case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
      run.last_completed_started_id =
          event.workflow_task_completed_event_attributes().started_event_id();
      note_worker(run, event.workflow_task_completed_event_attributes());
      ++run.completed_tasks;
      note_reset_point(run, event);
      run.consecutive_failures = 0;
      task = WorkflowTask{};
      break;
    default: {  // Failed, TimedOut: the attempt is counted by whoever wrote the event.
      take_reset(run, event);
      const int attempt = task.attempt;
      task = WorkflowTask{};
      task.attempt = attempt;
      break;
    }
  }
}

void close(Run& run, const HistoryEvent& event, enums::WorkflowExecutionStatus status,
           const std::string& new_run_id) {
  run.status = status;
  run.close_time = to_wall(event.event_time());
  run.new_run_id = new_run_id;
  run.task = WorkflowTask{};
  run.buffered.clear();
}

void merge(std::map<std::string, common::Payload>& into,
           const google::protobuf::Map<std::string, common::Payload>& fields) {
  for (const auto& [key, payload] : fields) {
    auto encoding = payload.metadata().find("encoding");
    const bool null = encoding != payload.metadata().end() && encoding->second == "binary/null";
    if (null || payload.data().empty() || payload.data() == "null" || payload.data() == "[]") {
      into.erase(key);
    } else {
      into[key] = payload;
    }
  }
}

bool apply_close_event(Run& run, const HistoryEvent& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
      close(run, event, enums::WORKFLOW_EXECUTION_STATUS_COMPLETED,
            event.workflow_execution_completed_event_attributes().new_execution_run_id());
      return true;
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
      close(run, event, enums::WORKFLOW_EXECUTION_STATUS_FAILED,
            event.workflow_execution_failed_event_attributes().new_execution_run_id());
      return true;
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
      close(run, event, enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT,
            event.workflow_execution_timed_out_event_attributes().new_execution_run_id());
      return true;
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
      close(run, event, enums::WORKFLOW_EXECUTION_STATUS_CANCELED, "");
      return true;
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
      close(run, event, enums::WORKFLOW_EXECUTION_STATUS_TERMINATED, "");
      return true;
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
      close(run, event, enums::WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW,
            event.workflow_execution_continued_as_new_event_attributes().new_execution_run_id());
      return true;
    default:
      return false;
  }
}

void note_attached(Run& run, const HistoryEvent& event) {
  const auto& a = event.workflow_execution_options_updated_event_attributes();
  if (!a.attached_request_id().empty())
    run.attached_requests[a.attached_request_id()] = event.event_id();
}

void change_options(Run& run, const HistoryEvent& event) {
  note_attached(run, event);
  const auto& a = event.workflow_execution_options_updated_event_attributes();
  if (a.time_skipping_config_updated()) {
    if (run.skipped == nullptr) run.skipped = std::make_unique<SkippedTime>();
    run.skipped->configure(a.has_time_skipping_config() ? &a.time_skipping_config() : nullptr,
                           to_wall(event.event_time()));
  }
  if (a.has_priority()) run.changed_priority = std::make_unique<common::Priority>(a.priority());
  change_override(run, a);
}

void set_pause(Run& run, const HistoryEvent& event) {
  const auto& a = event.workflow_execution_paused_event_attributes();
  run.status = enums::WORKFLOW_EXECUTION_STATUS_PAUSED;
  run.pause = std::make_unique<RunPause>(
      RunPause{to_wall(event.event_time()), a.identity(), a.reason(), a.request_id()});
}

void jump(Run& run, const HistoryEvent& event) {
  if (run.skipped == nullptr) return;
  run.skipped->jump(event.workflow_execution_time_skipping_transitioned_event_attributes(),
                    to_wall(event.event_time()));
}

}  // namespace

Run::Run() = default;
Run::~Run() = default;

void Run::begin_again(WallTime at) {
  last_reset = at;
  if (at == kUnset) return;
  start_time = execution_time = at;
  set_run_expiry(*this);
}

void Run::flushed(const HistoryEvent& event) {
  if (event.event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED)
    note_attached(*this, event);
}

void Run::fold(const HistoryEvent& event) {
  if (apply_close_event(*this, event)) return pending_.close();
  if (pending_.fold(event)) return;
  switch (event.event_type()) {
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
      return apply_started(*this, event);
    case enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
    case enums::EVENT_TYPE_WORKFLOW_TASK_STARTED:
    case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
    case enums::EVENT_TYPE_WORKFLOW_TASK_FAILED:
    case enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
      return apply_task_event(*this, event);
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
      cancel_requested = true;
      return;
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
      ++signal_count;
      return;
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED:
      return change_options(*this, event);
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED:
      return jump(*this, event);
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED:
      return set_pause(*this, event);
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED:
      status = enums::WORKFLOW_EXECUTION_STATUS_RUNNING;
      pause.reset();
      return;
    case enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
      return merge(search_attributes, event.upsert_workflow_search_attributes_event_attributes()
                                          .search_attributes()
                                          .indexed_fields());
    case enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED:
      return merge(memo,
                   event.workflow_properties_modified_event_attributes().upserted_memo().fields());
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
      known_updates[event.workflow_execution_update_accepted_event_attributes()
                        .protocol_instance_id()]
          .accepted_id = event.event_id();
      return;
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
      known_updates[event.workflow_execution_update_completed_event_attributes().meta().update_id()]
          .completed_id = event.event_id();
      return;
    default:
      return;
  }
}

}  // namespace chimera::server
