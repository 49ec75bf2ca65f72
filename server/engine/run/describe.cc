#include "server/engine/run/describe.h"

#include <nlohmann/json.hpp>

#include "server/engine/deployments/run_versioning.h"
#include "server/engine/nexus/callbacks.h"
#include "server/engine/run/namespaces.h"

namespace chimera::server {
namespace {

constexpr int kProblemsShown = 5;
constexpr std::int64_t kYearOne = -62'135'596'800;

common::Payload attribute(const nlohmann::json& value, const char* type) {
  common::Payload payload;
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  (*payload.mutable_metadata())["type"] = type;
  payload.set_data(value.dump());
  return payload;
}

common::Payload keyword(const std::string& value) { return attribute(value, "Keyword"); }
common::Payload keyword_list(const std::vector<std::string>& values) {
  return attribute(values, "KeywordList");
}

// What is paused: the workflow, and why; "property:activityType=T" of each type that has a paused
// activity.
std::vector<std::string> pauses(const Run& run) {
  std::vector<std::string> texts;
  if (run.pause != nullptr) {
    texts.push_back(absl::StrCat("Workflow:", run.workflow_id));
    if (!run.pause->reason.empty()) texts.push_back(absl::StrCat("Reason:", run.pause->reason));
  }
  for (const std::string& type : paused_types(run.open<Activities>()))
    texts.push_back(absl::StrCat("property:activityType=", type));
  return texts;
}

// First what binds it to versions, then every build of a worker that said no more.
std::vector<std::string> builds(const Run& run) {
  const auto behavior = run.versioning == nullptr ? enums::VERSIONING_BEHAVIOR_UNSPECIFIED
                                                  : run.versioning->shown_behavior();
  std::vector<std::string> texts;
  if (behavior == enums::VERSIONING_BEHAVIOR_UNSPECIFIED) texts.push_back("unversioned");
  if (behavior == enums::VERSIONING_BEHAVIOR_PINNED)
    texts.push_back(absl::StrCat("pinned:", run.versioning->shown_version().text()));
  for (const std::string& build_id : run.build_ids)
    texts.push_back(absl::StrCat("unversioned:", build_id));
  return texts;
}

const char* name_of(enums::VersioningBehavior behavior) {
  return behavior == enums::VERSIONING_BEHAVIOR_PINNED ? "Pinned" : "AutoUpgrade";
}

void add_versioning(const Run& run, std::map<std::string, common::Payload>& attributes) {
  const auto set = [&](const char* name, std::string value) {
    if (!value.empty()) attributes[name] = keyword(value);
  };
  if (run.versioning == nullptr) return set("TemporalWorkerDeployment", run.worker_deployment);
  const DeploymentVersion version = run.versioning->shown_version();
  set("TemporalWorkerDeployment",
      version.unversioned() ? run.worker_deployment : version.deployment);
  set("TemporalWorkerDeploymentVersion", version.text());
  if (const auto behavior = run.versioning->shown_behavior();
      behavior != enums::VERSIONING_BEHAVIOR_UNSPECIFIED)
    set("TemporalWorkflowVersioningBehavior", name_of(behavior));
  if (!run.versioning->used.empty())
    attributes["TemporalUsedWorkerDeploymentVersions"] = keyword_list(run.versioning->used);
}

void fill_task(const WorkflowTask& task,
               ::temporal::api::workflow::v1::PendingWorkflowTaskInfo& info) {
  info.set_state(task.is_started() ? enums::PENDING_WORKFLOW_TASK_STATE_STARTED
                                   : enums::PENDING_WORKFLOW_TASK_STATE_SCHEDULED);
  set(info.mutable_scheduled_time(), task.scheduled);
  set(info.mutable_original_scheduled_time(), task.original_scheduled);
  if (task.is_started()) set(info.mutable_started_time(), task.started);
  info.set_attempt(task.attempt);
}

}  // namespace

std::map<std::string, common::Payload> all_search_attributes(const Run& run) {
  auto attributes = run.search_attributes;
  if (run.consecutive_failures >= kProblemsShown) {
    attributes["TemporalReportedProblems"] =
        keyword_list({absl::StrCat("category=", run.reported_problem_category),
                      absl::StrCat("cause=", run.reported_problem_cause)});
  }
  if (auto paused = pauses(run); !paused.empty())
    attributes["TemporalPauseInfo"] = keyword_list(paused);
  // Also of one that was bound once.
  if ((run.completed_tasks > 0 || run.versioning != nullptr) && !attributes.contains("BuildIds")) {
    if (const auto texts = builds(run); !texts.empty())
      attributes["BuildIds"] = keyword_list(texts);
  }
  add_versioning(run, attributes);
  return attributes;
}

void fill_info(const Run& run, ::temporal::api::workflow::v1::WorkflowExecutionInfo& info) {
  info.mutable_execution()->set_workflow_id(run.workflow_id);
  info.mutable_execution()->set_run_id(run.run_id);
  info.mutable_type()->set_name(run.workflow_type);
  set(info.mutable_start_time(), run.start_time);
  set(info.mutable_execution_time(), run.execution_time);
  info.set_status(run.status);
  info.set_history_length(run.events.events_size());
  info.set_history_size_bytes(run.history_size);
  info.set_state_transition_count(run.transitions);
  if (!run.running()) {
    set(info.mutable_close_time(), run.close_time);
    set(info.mutable_execution_duration(), std::max(run.close_time - run.execution_time, Nanos{0}));
  }
  for (const auto& [key, value] : run.memo) (*info.mutable_memo()->mutable_fields())[key] = value;
  auto attributes = all_search_attributes(run);
  info.mutable_search_attributes();
  for (auto& [key, value] : attributes) {
    (*info.mutable_search_attributes()->mutable_indexed_fields())[key] = std::move(value);
  }
  info.set_task_queue(run.task_queue);
  if (run.has_worker_stamp) {
    info.mutable_most_recent_worker_version_stamp()->set_build_id(run.last_worker_build_id);
  }
  info.set_worker_deployment_name(run.worker_deployment);
  if (run.versioning != nullptr && run.versioning->info)
    *info.mutable_versioning_info() = run.versioning->described();
  const auto& start = run.start();
  if (start.has_parent_workflow_execution()) {
    *info.mutable_parent_execution() = start.parent_workflow_execution();
    info.set_parent_namespace_id(start.parent_workflow_namespace_id());
  }
  if (start.has_root_workflow_execution()) {
    *info.mutable_root_execution() = start.root_workflow_execution();
  } else {
    *info.mutable_root_execution() = info.execution();
  }
  info.set_first_run_id(run.first_run_id);
  if (!run.reset_points.points().empty()) *info.mutable_auto_reset_points() = run.reset_points;
  if (run.has_priority()) *info.mutable_priority() = run.priority();
}

void describe_run(const Run& run, WallTime time, wf::DescribeWorkflowExecutionResponse& response) {
  const auto& start = run.start();
  auto& config = *response.mutable_execution_config();
  config.mutable_task_queue()->set_name(run.task_queue);
  config.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  if (start.has_workflow_execution_timeout())
    *config.mutable_workflow_execution_timeout() = start.workflow_execution_timeout();
  if (start.has_workflow_run_timeout())
    *config.mutable_workflow_run_timeout() = start.workflow_run_timeout();
  *config.mutable_default_workflow_task_timeout() = start.workflow_task_timeout();
  if (run.user_metadata.has_summary() || run.user_metadata.has_details()) {
    *config.mutable_user_metadata() = run.user_metadata;
  }
  auto& info = *response.mutable_workflow_execution_info();
  fill_info(run, info);
  info.mutable_memo();
  info.mutable_auto_reset_points();
  if (!run.new_run_id.empty()) {  // Its own points are kept for as long as it is.
    for (auto& point : *info.mutable_auto_reset_points()->mutable_points()) {
      if (point.run_id() == run.run_id)
        set(point.mutable_expire_time(),
            add_saturated(run.server_time(run.close_time), run.ns->retention()));
    }
  }
  if (run.running()) {
    run.pending().describe(run.clock(time), response);
    if (run.task.pending()) fill_task(run.task, *response.mutable_pending_workflow_task());
  }
  describe_callbacks(run, response);
  auto& extended = *response.mutable_workflow_extended_info();
  if (run.execution_expires != kNever)
    set(extended.mutable_execution_expiration_time(), run.execution_expires);
  if (run.run_expires != kNever)
    set(extended.mutable_run_expiration_time(), run.run_expires);
  else
    extended.mutable_run_expiration_time()->set_seconds(kYearOne);  // The genuine server's "none".
  extended.set_cancel_requested(run.cancel_requested);
  *extended.mutable_original_start_time() = run.events.events(0).event_time();
  extended.set_reset_run_id(run.reset_run_id);
  if (run.last_reset != kUnset) set(extended.mutable_last_reset_time(), run.last_reset);
  if (run.skipped != nullptr)
    *extended.mutable_time_skipping_info() = run.skipped->describe(run.clock(time));
  if (run.pause != nullptr) {
    auto& pause = *extended.mutable_pause_info();
    pause.set_identity(run.pause->identity);
    pause.set_reason(run.pause->reason);
    set(pause.mutable_paused_time(), run.pause->since);
  }
  auto& request = (*extended.mutable_request_id_infos())[run.start_request_id];
  request.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
  request.set_event_id(1);
  for (const auto& [id, event_id] : run.attached_requests) {
    auto& attached = (*extended.mutable_request_id_infos())[id];
    attached.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);
    attached.set_event_id(event_id);
    attached.set_buffered(event_id == 0);
  }
}

}  // namespace chimera::server
