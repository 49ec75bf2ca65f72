#include "server/engine/turn/recovery.h"

#include <nlohmann/json.hpp>

#include "server/engine/engine.h"
#include "server/engine/matched/queue_config.h"
#include "server/engine/run/rebuild.h"
#include "server/engine/run/side_record.h"
#include "server/engine/turn/update_registry.h"
#include "server/engine/turn/workflow_task.h"
#include "server/visibility/attributes.h"

namespace chimera::server {
namespace {

constexpr char kNamespaceTable[] = "namespace";
constexpr char kMetaTable[] = "meta";

absl::Status damaged(const std::string& what) {
  return absl::DataLossError(absl::StrCat("the database is damaged: ", what,
                                          ". Restore a copy of the file, or start with "
                                          "another file name."));
}

absl::Status restore_value(Engine& engine, const WriteBatch::KeyValue& value) {
  if (value.table == kMetaTable && value.key == "cluster_id") engine.cluster_id = value.value;
  if (value.table == kQueueConfigTable && !restore_queue_config(engine, value.key, value.value))
    return damaged(absl::StrCat("the configuration of task queue ", value.key));
  if (value.table != kNamespaceTable) return absl::OkStatus();
  wf::DescribeNamespaceResponse stored;
  if (!stored.ParseFromString(value.value)) return damaged(absl::StrCat("namespace ", value.key));
  Namespace& ns = engine.namespaces().add(stored.namespace_info().name(), value.key, Nanos{0});
  ns.config = stored.config();
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

using Rows = std::vector<const WriteBatch::KeyValue*>;

absl::Status restore_run(Engine& engine, const StoredState::StoredRun& stored, const Rows& rows) {
  Namespace* ns = engine.namespaces().find_by_id(stored.record.namespace_id);
  if (ns == nullptr)
    return damaged(absl::StrCat("run ", stored.record.run_id, " belongs to no namespace"));
  Run& run = engine.runs().add(*ns, stored.record.workflow_id, stored.record.run_id);
  Rebuild rebuild(run);
  for (const std::string& bytes : stored.batches) {
    history::History batch;
    if (!batch.ParseFromString(bytes)) return damaged(absl::StrCat("history of run ", run.run_id));
    run.batches.push_back(run.next_event_id());
    for (HistoryEvent& event : *batch.mutable_events()) rebuild.add(std::move(event));
  }
  if (run.events.events_size() == 0)
    return damaged(absl::StrCat("run ", run.run_id, " has no history"));
  if (!decode_side(stored.record.side, run))
    return damaged(absl::StrCat("state of run ", run.run_id));
  for (const auto* row : rows) {
    if (!decode_row(*row, run)) return damaged(absl::StrCat("an activity of run ", run.run_id));
  }
  if (run.running()) admit_from_history(run);
  run.stored.events = run.events.events_size();
  engine.ids().see_task_id(run.last_event().task_id());
  engine.ids().see_stamp(run.task.stamp);
  for (const auto& [id, activity] : run.open<Activities>().all())
    engine.ids().see_stamp(activity.stamp);
  return absl::OkStatus();
}

void resume(Engine& engine, const Run& run) {
  if (!run.running()) return engine.runs().arm_timer(run);
  Transition t(engine, run);
  if (run.task.pending() && !run.task.is_started()) dispatch_task(t);
  Pending::resume(t);
  t.commit_unseen();
}

}  // namespace

absl::Status recover(Engine& engine) {
  absl::StatusOr<StoredState> state = engine.store().load();
  if (!state.ok()) return state.status();
  std::map<std::string, Rows> rows;
  for (const auto& value : state->values) {
    if (std::string run_id = run_of_row(value); !run_id.empty())
      rows[std::move(run_id)].push_back(&value);
    else if (absl::Status status = restore_value(engine, value); !status.ok())
      return status;
  }
  for (const auto& run : state->runs) {
    absl::Status status = restore_run(engine, run, rows[run.record.run_id]);
    if (!status.ok()) return status;
  }
  for (const auto& run : state->runs) resume(engine, *engine.runs().by_id(run.record.run_id));
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
  put_value(kNamespaceTable, ns.id, stored.SerializeAsString());
}

}  // namespace chimera::server
