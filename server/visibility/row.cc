#include "server/visibility/row.h"

#include <nlohmann/json.hpp>

namespace chimera::server {
namespace {

using visibility::AttributeType;
using visibility::Value;

constexpr bool same(AttributeType ours, enums::IndexedValueType theirs) {
  return static_cast<int>(ours) == static_cast<int>(theirs);
}
static_assert(same(AttributeType::kText, enums::INDEXED_VALUE_TYPE_TEXT));
static_assert(same(AttributeType::kKeyword, enums::INDEXED_VALUE_TYPE_KEYWORD));
static_assert(same(AttributeType::kInt, enums::INDEXED_VALUE_TYPE_INT));
static_assert(same(AttributeType::kDouble, enums::INDEXED_VALUE_TYPE_DOUBLE));
static_assert(same(AttributeType::kBool, enums::INDEXED_VALUE_TYPE_BOOL));
static_assert(same(AttributeType::kDatetime, enums::INDEXED_VALUE_TYPE_DATETIME));
static_assert(same(AttributeType::kKeywordList, enums::INDEXED_VALUE_TYPE_KEYWORD_LIST));
static_assert(same(AttributeType::kKeywordList, enums::IndexedValueType_MAX));

AttributeType attribute_type_of(enums::IndexedValueType type) {
  return type == enums::INDEXED_VALUE_TYPE_UNSPECIFIED ? AttributeType::kKeyword
                                                       : static_cast<AttributeType>(type);
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

std::optional<Value> custom_value(const Row& row, const std::string& name) {
  const std::optional<common::Payload> payload = row.attribute(name);
  if (!payload) return std::nullopt;
  const auto type = settable_type(*row.types, name);
  auto json = nlohmann::json::parse(payload->data(), nullptr, /*allow_exceptions=*/false);
  if (!type || json.is_discarded()) return std::nullopt;
  if (*type != enums::INDEXED_VALUE_TYPE_KEYWORD_LIST && json.is_array() && json.size() == 1) {
    nlohmann::json only = std::move(json[0]);  // Old SDKs send lists.
    json = std::move(only);
  }
  return value_of(json, attribute_type_of(*type));
}

std::int64_t count(WallTime time) { return time.time_since_epoch().count(); }

std::optional<Value> text(std::string_view value) {
  return value.empty() ? std::nullopt : std::optional<Value>(std::string(value));
}

std::optional<Value> closed_value(const Row& row, std::string_view name) {
  if (row.status == enums::WORKFLOW_EXECUTION_STATUS_RUNNING) return std::nullopt;
  if (name == "CloseTime") return Value(count(row.close_time));
  if (name == "ExecutionDuration") {
    return Value(std::max<std::int64_t>((row.close_time - row.execution_time).count(), 0));
  }
  if (name == "HistoryLength") return Value(row.history_length);
  if (name == "HistorySizeBytes") return Value(row.history_size);
  return Value(row.transitions);
}

}  // namespace

visibility::TypeOf attribute_types(const AttributeTypes& own) {
  return [&own](std::string_view name) -> std::optional<AttributeType> {
    if (const auto type = visibility::system_attribute(name)) return type;
    const auto type = settable_type(own, std::string(name));
    if (!type) return std::nullopt;
    return attribute_type_of(*type);
  };
}

std::optional<Value> row_value(const Row& row, std::string_view name) {
  if (name == "WorkflowId") return text(row.workflow_id);
  if (name == "RunId") return text(row.run_id);
  if (name == "WorkflowType") return text(row.workflow_type);
  if (name == "TaskQueue") return text(row.task_queue);
  if (name == "ExecutionStatus") return Value(std::int64_t{row.status});
  if (name == "StartTime") return Value(count(row.start_time));
  if (name == "ExecutionTime") return Value(count(row.execution_time));
  if (name == "CloseTime" || name == "ExecutionDuration" || name == "HistoryLength" ||
      name == "HistorySizeBytes" || name == "StateTransitionCount") {
    return closed_value(row, name);
  }
  if (name == "ParentWorkflowId") return text(row.parent_workflow_id);
  if (name == "ParentRunId") return text(row.parent_run_id);
  if (name == "RootWorkflowId") return text(row.root_workflow_id);
  if (name == "RootRunId") return text(row.root_run_id);
  return custom_value(row, std::string(name));
}

}  // namespace chimera::server
