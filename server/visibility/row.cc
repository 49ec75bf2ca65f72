#include "server/visibility/row.h"

#include <nlohmann/json.hpp>

#include "server/engine/describe.h"
#include "server/engine/namespaces.h"
#include "server/visibility/attributes.h"

namespace chimera::server {
namespace {

using visibility::AttributeType;
using visibility::Value;

AttributeType attribute_type_of(enums::IndexedValueType type) {
  switch (type) {
    case enums::INDEXED_VALUE_TYPE_TEXT:
      return AttributeType::kText;
    case enums::INDEXED_VALUE_TYPE_INT:
      return AttributeType::kInt;
    case enums::INDEXED_VALUE_TYPE_DOUBLE:
      return AttributeType::kDouble;
    case enums::INDEXED_VALUE_TYPE_BOOL:
      return AttributeType::kBool;
    case enums::INDEXED_VALUE_TYPE_DATETIME:
      return AttributeType::kDatetime;
    case enums::INDEXED_VALUE_TYPE_KEYWORD_LIST:
      return AttributeType::kKeywordList;
    default:
      return AttributeType::kKeyword;
  }
}

// None for what is not of the type: an attribute may have been removed and added with another.
std::optional<Value> value_of(const nlohmann::json& json, AttributeType type) {
  switch (type) {
    case AttributeType::kKeywordList: {
      if (json.is_string()) return Value(std::vector<std::string>{json.get<std::string>()});
      if (!json.is_array()) return std::nullopt;
      std::vector<std::string> values;
      for (const auto& one : json) {
        if (one.is_string()) values.push_back(one.get<std::string>());
      }
      return Value(std::move(values));
    }
    case AttributeType::kBool:
      return json.is_boolean() ? std::optional<Value>(json.get<bool>()) : std::nullopt;
    case AttributeType::kInt:
      if (!json.is_number_integer()) return std::nullopt;
      return Value(json.get<std::int64_t>());
    case AttributeType::kDouble:
      return json.is_number() ? std::optional<Value>(json.get<double>()) : std::nullopt;
    case AttributeType::kDatetime: {
      if (!json.is_string()) return std::nullopt;
      const auto time = visibility::parse_time(json.get<std::string>());
      return time ? std::optional<Value>(*time) : std::nullopt;
    }
    default:
      return json.is_string() ? std::optional<Value>(json.get<std::string>()) : std::nullopt;
  }
}

std::optional<Value> custom_value(const Run& run, const std::string& name) {
  const auto attributes = all_search_attributes(run);
  auto it = attributes.find(name);
  if (it == attributes.end()) return std::nullopt;
  const auto type = settable_type(*run.ns, name);
  auto json = nlohmann::json::parse(it->second.data(), nullptr, /*allow_exceptions=*/false);
  if (!type || json.is_discarded()) return std::nullopt;
  if (*type != enums::INDEXED_VALUE_TYPE_KEYWORD_LIST && json.is_array() && json.size() == 1) {
    nlohmann::json only = std::move(json[0]);  // Old SDKs send lists.
    json = std::move(only);
  }
  return value_of(json, attribute_type_of(*type));
}

std::int64_t count(WallTime time) { return time.time_since_epoch().count(); }

std::optional<Value> text(const std::string& value) {
  return value.empty() ? std::nullopt : std::optional<Value>(value);
}

std::optional<Value> closed_value(const Run& run, std::string_view name) {
  if (run.running()) return std::nullopt;
  if (name == "CloseTime") return Value(count(run.close_time));
  if (name == "ExecutionDuration") {
    return Value(std::max<std::int64_t>((run.close_time - run.execution_time).count(), 0));
  }
  if (name == "HistoryLength") return Value(std::int64_t{run.events.events_size()});
  if (name == "HistorySizeBytes") return Value(run.history_size);
  return Value(run.transitions);
}

}  // namespace

visibility::TypeOf attribute_types(const Namespace& ns) {
  return [&ns](std::string_view name) -> std::optional<AttributeType> {
    if (const auto type = visibility::system_attribute(name)) return type;
    const auto type = settable_type(ns, std::string(name));
    if (!type) return std::nullopt;
    return attribute_type_of(*type);
  };
}

std::optional<Value> row_value(const Run& run, std::string_view name) {
  const auto& start = run.start();
  const bool root = start.has_root_workflow_execution();
  if (name == "WorkflowId") return text(run.workflow_id);
  if (name == "RunId") return text(run.run_id);
  if (name == "WorkflowType") return text(run.workflow_type);
  if (name == "TaskQueue") return text(run.task_queue);
  if (name == "ExecutionStatus") return Value(std::int64_t{run.status});
  if (name == "StartTime") return Value(count(run.start_time));
  if (name == "ExecutionTime") return Value(count(run.execution_time));
  if (name == "CloseTime" || name == "ExecutionDuration" || name == "HistoryLength" ||
      name == "HistorySizeBytes" || name == "StateTransitionCount") {
    return closed_value(run, name);
  }
  if (name == "ParentWorkflowId") return text(start.parent_workflow_execution().workflow_id());
  if (name == "ParentRunId") return text(start.parent_workflow_execution().run_id());
  if (name == "RootWorkflowId") {
    return text(root ? start.root_workflow_execution().workflow_id() : run.workflow_id);
  }
  if (name == "RootRunId")
    return text(root ? start.root_workflow_execution().run_id() : run.run_id);
  return custom_value(run, std::string(name));
}

}  // namespace chimera::server
