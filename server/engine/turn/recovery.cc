#include "server/engine/turn/recovery.h"

#include <future>
#include <limits>
#include <vector>

#include "absl/strings/numbers.h"

#include "server/engine/archival.h"
#include "server/engine/batches.h"
#include "server/engine/deployments/deployments.h"
#include "server/engine/engine.h"
#include "server/engine/matched/queue_config.h"
#include "server/engine/nexus/endpoints.h"
#include "server/engine/removals.h"
#include "server/engine/run/rebuild.h"
#include "server/engine/run/side_record.h"
#include "server/engine/run/visible.h"
#include "server/engine/schedules.h"
#include "server/engine/standalone/activity_executions.h"
#include "server/engine/standalone/operation_executions.h"
#include "server/engine/time_skipping.h"
#include "server/engine/turn/update_registry.h"
#include "server/engine/turn/workflow_task.h"
#include "server/visibility/attributes.h"
#include "server/visibility/visibility.h"

namespace chimera::server {
namespace {

constexpr char kMetaTable[] = "meta";
constexpr char kUpgradeKey[] = "upgrade";  // Written by the store, when it has made a new layout.

absl::Status damaged(const std::string& what) {
  return absl::DataLossError(absl::StrCat("the database is damaged: ", what,
                                          ". Restore a copy of the file, or start with "
                                          "another file name."));
}

absl::Status restore_value(Engine& engine, const WriteBatch::KeyValue& value) {
  if (value.table == kMetaTable && value.key == "cluster_id") engine.cluster_id = value.value;
  if (value.table == kMetaTable && value.key == TimeSkipping::kAheadKey) {
    std::int64_t skipped = 0;
    if (!absl::SimpleAtoi(value.value, &skipped)) return damaged("the time that was skipped");
    engine.loop().set_skipped(Nanos(skipped));
    engine.loop().refresh();
  }
  engine.activity_executions->restore(value);
  engine.operation_executions->restore(value);
  if (value.table == Archival::kTable) engine.archival->restore(value.key, value.value);
  if (value.table == Runs::kHeadlessTable) engine.runs().restore_headless(value.key);
  if (value.table == kQueueConfigTable && !restore_queue_config(engine, value.key, value.value))
    return damaged(absl::StrCat("the configuration of task queue ", value.key));
  if (value.table == EndedSchedules::kTable)
    return engine.schedules->ended.restore(value.key, value.value);
  if (value.table == Batches::kTable) return engine.batches->restore(value.key, value.value);
  if (value.table == NexusEndpoints::kTable)
    return engine.nexus_endpoints->restore(value.key, value.value);
  if (value.table == Removals::kTable) return engine.removals->restore(value.key, value.value);
  if (value.table != kNamespaceTable) return absl::OkStatus();
  wf::DescribeNamespaceResponse stored;
  if (!stored.ParseFromString(value.value)) return damaged(absl::StrCat("namespace ", value.key));
  Namespace& ns = engine.namespaces().add(stored.namespace_info().name(), value.key, Nanos{0});
  ns.config = stored.config();
  ns.replication = stored.replication_config().state();
  ns.info.set_state(stored.namespace_info().state());
  ns.info.set_description(stored.namespace_info().description());
  ns.info.set_owner_email(stored.namespace_info().owner_email());
  *ns.info.mutable_data() = stored.namespace_info().data();
  for (const auto& [name, type] : stored.config().custom_search_attribute_aliases()) {
    if (const auto parsed = parse_type(type)) ns.search_attributes[name] = *parsed;
  }
  ns.config.clear_custom_search_attribute_aliases();
  return absl::OkStatus();
}

std::int64_t micros_since_1970(WallTime time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

absl::Status restore_open(Engine& engine, StoredRun stored) {
  absl::StatusOr<Run*> restored = engine.runs().restore(std::move(stored));
  if (!restored.ok()) return restored.status();
  const Run& run = **restored;
  admit_from_history(**restored);
  engine.ids().see_task_id(run.last_event().task_id());
  engine.ids().see_stamp(run.task.stamp);
  for (const auto& [id, activity] : run.open<Activities>().all())
    engine.ids().see_stamp(activity.stamp);
  return absl::OkStatus();
}

absl::Status wait_until_written(Store& store) {
  std::promise<absl::Status> written;
  store.commit({}, [&written](const absl::Status& status) { written.set_value(status); });
  return written.get_future().get();
}

// Of the first layout, runs are written once more, with what it did not have of them.
absl::Status upgrade(Engine& engine) {
  for (const auto& [run_id, run] : engine.runs().in_memory()) engine.show(*run);
  constexpr std::size_t kAtOnce = 200;
  constexpr int kAll = std::numeric_limits<int>::max();
  for (const auto& [name, ns] : engine.namespaces().all()) {
    std::size_t fresh = 0;
    for (const auto& closed : engine.store().first_closed(ns->id, kAll)) {
      const Run* run = engine.runs().by_id(closed.run_id);
      if (run == nullptr) return damaged(absl::StrCat("run ", closed.run_id));
      engine.mark_dirty(*run);
      engine.show(*run);
      if (++fresh % kAtOnce != 0) continue;
      engine.after_turn();
      if (absl::Status status = wait_until_written(engine.store()); !status.ok()) return status;
      for (std::size_t i = 0; i < kAtOnce; ++i) engine.runs().trim();
    }
  }
  engine.put_value(kMetaTable, kUpgradeKey, "", /*erase=*/true);
  return absl::OkStatus();
}

void resume(Engine& engine, const Run& run) {
  Transition t(engine, run);
  if (run.task.pending() && !run.task.is_started()) dispatch_task(t);
  Pending::resume(t);
  t.commit_unseen();
}

}  // namespace

absl::Status recover(Engine& engine) {
  absl::StatusOr<StoredState> state = engine.store().load();
  if (!state.ok()) return state.status();
  bool of_first_layout = false;
  for (const auto& value : state->values) {
    if (absl::Status status = restore_value(engine, value); !status.ok()) return status;
    of_first_layout = of_first_layout || (value.table == kMetaTable && value.key == kUpgradeKey);
  }
  for (const auto& value : state->values) {  // Namespaces are there now.
    absl::Status status;
    if (value.table == Schedules::kTable)
      status = engine.schedules->restore(value.key, value.value);
    if (value.table == Deployments::kTable)
      status = engine.deployments->restore(value.key, value.value);
    if (!status.ok()) return status;
  }
  engine.runs().last_number(state->last_number);
  // Beyond those of runs that are not read here.
  if (engine.store().durable()) engine.ids().see_task_id(micros_since_1970(engine.now()));
  std::vector<std::string> open;
  for (StoredRun& run : state->runs) {
    open.push_back(run.record.run_id);
    if (absl::Status status = restore_open(engine, std::move(run)); !status.ok()) return status;
  }
  for (const std::string& run_id : open) resume(engine, *engine.runs().by_id(run_id));
  if (absl::Status status = engine.activity_executions->resume(); !status.ok()) return status;
  if (absl::Status status = engine.operation_executions->resume(); !status.ok()) return status;
  engine.schedules->resume();
  engine.batches->resume();
  engine.removals->resume();
  engine.archival->resume();
  engine.runs().apply_retention();
  if (of_first_layout) {
    if (absl::Status status = upgrade(engine); !status.ok()) return status;
  }
  if (engine.cluster_id.empty()) {
    engine.cluster_id = engine.ids().uuid();
    engine.put_value(kMetaTable, "cluster_id", engine.cluster_id);
  }
  return absl::OkStatus();
}

void Engine::save(const Namespace& ns) {
  wf::DescribeNamespaceResponse stored;
  *stored.mutable_namespace_info() = ns.info;
  *stored.mutable_config() = ns.config;
  for (const auto& [name, type] : ns.search_attributes) {
    (*stored.mutable_config()->mutable_custom_search_attribute_aliases())[name] = type_name(type);
  }
  stored.mutable_replication_config()->set_state(ns.replication);
  put_value(kNamespaceTable, ns.id, stored.SerializeAsString());
}

}  // namespace chimera::server
