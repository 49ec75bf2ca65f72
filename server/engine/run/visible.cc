#include "server/engine/run/visible.h"

#include <algorithm>

#include "absl/hash/hash.h"
#include "temporal/api/workflow/v1/message.pb.h"

#include "server/engine/deployments/run_versioning.h"
#include "server/engine/run/describe.h"
#include "server/engine/run/namespaces.h"
#include "server/visibility/values.h"

namespace chimera::server {
namespace {

using Info = ::temporal::api::workflow::v1::WorkflowExecutionInfo;

std::int64_t nanos(WallTime time) { return time.time_since_epoch().count(); }

void fill_identity(const Run& run, Info& info) {
  const auto& start = run.start();
  info.mutable_execution()->set_workflow_id(run.workflow_id);
  info.mutable_execution()->set_run_id(run.run_id);
  info.mutable_type()->set_name(run.workflow_type);
  info.set_task_queue(run.task_queue);
  if (start.has_parent_workflow_execution())
    *info.mutable_parent_execution() = start.parent_workflow_execution();
  *info.mutable_root_execution() =
      start.has_root_workflow_execution() ? start.root_workflow_execution() : info.execution();
}

// What the genuine server's lists show: less than a describe.
void fill_listed(const Run& run, std::map<std::string, common::Payload> attributes, Info& info) {
  fill_identity(run, info);
  info.set_status(run.status);
  set(info.mutable_start_time(), run.start_time);
  set(info.mutable_execution_time(), run.execution_time);
  info.mutable_memo();
  for (const auto& [key, value] : run.memo) (*info.mutable_memo()->mutable_fields())[key] = value;
  auto& fields = *info.mutable_search_attributes()->mutable_indexed_fields();
  for (auto& [key, value] : attributes) fields[key] = std::move(value);
  if (run.running()) return;
  set(info.mutable_close_time(), run.close_time);
  set(info.mutable_execution_duration(), std::max(run.close_time - run.execution_time, Nanos{0}));
  info.set_history_length(run.events.events_size());
  info.set_history_size_bytes(run.history_size);
  info.set_state_transition_count(run.transitions);
}

std::size_t versions_shown(const Run& run) {
  if (run.versioning == nullptr) return 0;
  return absl::HashOf(run.versioning->shown_behavior(), run.versioning->shown_version().text(),
                      run.versioning->used.size());
}

bool changes_attributes(const HistoryEvent& event) {
  return event.event_type() == enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES ||
         event.event_type() == enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED;
}

}  // namespace

visibility::Entry entry_of(const Run& run) {
  visibility::Entry entry;
  auto attributes = all_search_attributes(run);
  for (const auto& [name, payload] : attributes) {
    const auto type = settable_type(run.ns->search_attributes, name);
    if (!type) continue;
    const visibility::AttributeType as = attribute_type_of(*type);
    if (auto value = attribute_value(payload, as))
      entry.attributes.push_back({name, as, *std::move(value)});
  }
  thread_local Info info;  // Keeps its room.
  info.Clear();
  fill_listed(run, std::move(attributes), info);
  entry.info = info.SerializeAsString();
  entry.namespace_id = run.ns->id;
  entry.run_id = run.run_id;
  entry.workflow_id = run.workflow_id;
  entry.workflow_type = run.workflow_type;
  entry.task_queue = run.task_queue;
  entry.parent_workflow_id = info.parent_execution().workflow_id();
  entry.parent_run_id = info.parent_execution().run_id();
  entry.root_workflow_id = info.root_execution().workflow_id();
  entry.root_run_id = info.root_execution().run_id();
  entry.status = run.status;
  entry.start_time = nanos(run.start_time);
  entry.execution_time = nanos(run.execution_time);
  entry.open = run.running();
  entry.close_time = nanos(run.close_time);
  entry.duration = std::max(run.close_time - run.execution_time, Nanos{0}).count();
  entry.history_length = run.events.events_size();
  entry.history_size = run.history_size;
  entry.transitions = run.transitions;
  return entry;
}

bool looks_different(const Run& run, int first_new) {
  const int events = run.events.events_size();
  bool different = first_new == 0;
  for (int i = first_new; i < events && !different; ++i)
    different = changes_attributes(run.events.events(i));
  // Pausing writes no event.
  if (first_new == events || run.shown.paused != 0) {
    const auto types = paused_types(run.open<Activities>());
    run.shown.paused = types.empty() ? 0 : absl::HashOf(types);
  }
  constexpr int kProblemsShown = 5;
  const bool problems = run.consecutive_failures >= kProblemsShown;
  const std::size_t now = absl::HashOf(
      run.status, run.completed_tasks > 0, run.last_worker_build_id, run.build_ids.size(),
      run.worker_deployment, problems, problems ? run.reported_problem_cause : std::string(),
      run.shown.paused, versions_shown(run));
  different = different || now != run.shown.rest;
  run.shown.rest = now;
  return different;
}

}  // namespace chimera::server
