#include "server/engine/standalone/listed.h"

#include "temporal/api/workflow/v1/message.pb.h"
#include <nlohmann/json.hpp>

#include "server/visibility/attributes.h"
#include "server/visibility/values.h"

namespace chimera::server {
namespace {

std::int64_t nanos(WallTime time) { return time.time_since_epoch().count(); }

common::Payload keyword(const std::string& text) {
  common::Payload payload;
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  (*payload.mutable_metadata())["type"] = "Keyword";
  payload.set_data(
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  return payload;
}

}  // namespace

visibility::Entry listed_entry(const StandaloneExecution& execution, const Listed& as) {
  ::temporal::api::workflow::v1::WorkflowExecutionInfo info;
  info.mutable_execution()->set_workflow_id(as.id);
  info.mutable_execution()->set_run_id(execution.run_id);
  info.mutable_type()->set_name(as.type);
  set(info.mutable_start_time(), execution.scheduled);
  set(info.mutable_execution_time(), as.execution_time);
  info.set_status(as.status);
  info.set_task_queue(as.task_queue);
  *info.mutable_search_attributes() =
      with_types(execution.ns->search_attributes, execution.search_attributes);
  auto& fields = *info.mutable_search_attributes()->mutable_indexed_fields();
  fields["TemporalNamespaceDivision"] = keyword(as.division);

  visibility::Entry entry;
  for (const auto& [name, payload] : fields) {
    const auto type = settable_type(execution.ns->search_attributes, name);
    if (!type) continue;
    const visibility::AttributeType of = attribute_type_of(*type);
    if (auto value = attribute_value(payload, of))
      entry.attributes.push_back({name, of, *std::move(value)});
  }
  for (const auto& [name, value] : as.keywords) {
    entry.attributes.push_back({name, visibility::AttributeType::kKeyword, value});
    fields[name] = keyword(value);
  }
  entry.namespace_id = execution.ns->id;
  entry.run_id = execution.run_id;
  entry.workflow_id = as.id;
  entry.workflow_type = as.type;
  entry.task_queue = as.task_queue;
  entry.status = as.status;
  entry.start_time = nanos(execution.scheduled);
  entry.execution_time = nanos(as.execution_time);
  entry.open = as.open;
  if (!entry.open) {
    set(info.mutable_close_time(), execution.closed);
    set(info.mutable_execution_duration(), execution.closed - execution.scheduled);
    info.set_state_transition_count(execution.transitions);
    entry.close_time = nanos(execution.closed);
    entry.duration = (execution.closed - execution.scheduled).count();
    entry.transitions = execution.transitions;
  }
  entry.info = info.SerializeAsString();
  return entry;
}

}  // namespace chimera::server
